-- Lists of one owner's items and of everybody's come in this order: no list sorts or reads more than
-- its page.
CREATE INDEX IF NOT EXISTS ix_item_owner_id_created_at ON item (owner_id, created_at DESC, id);
CREATE INDEX IF NOT EXISTS ix_item_created_at ON item (created_at DESC, id);
