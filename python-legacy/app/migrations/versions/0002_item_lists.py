"""item lists

Revision ID: 0002
Revises: 0001

Lists of one owner's items and of all items come in this order: no list sorts or reads more than
its page.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    newest_first = (sa.text("created_at DESC"), "id")
    op.create_index(
        "ix_item_owner_id_created_at", "item", ["owner_id", *newest_first], if_not_exists=True
    )
    op.create_index("ix_item_created_at", "item", [*newest_first], if_not_exists=True)


def downgrade() -> None:
    op.drop_index("ix_item_created_at", "item")
    op.drop_index("ix_item_owner_id_created_at", "item")
