-- Every statement accepts that its table is there already: a database that Alembic made is adopted
-- as it is.
CREATE TABLE IF NOT EXISTS "user" (
    id uuid NOT NULL,
    email varchar(255) NOT NULL,
    is_active boolean NOT NULL,
    is_superuser boolean NOT NULL,
    full_name varchar(255),
    hashed_password varchar NOT NULL,
    created_at timestamptz,
    PRIMARY KEY (id)
);

CREATE UNIQUE INDEX IF NOT EXISTS ix_user_email ON "user" (email);

CREATE TABLE IF NOT EXISTS item (
    id uuid NOT NULL,
    title varchar(255) NOT NULL,
    description varchar(255),
    owner_id uuid NOT NULL,
    created_at timestamptz,
    PRIMARY KEY (id),
    FOREIGN KEY (owner_id) REFERENCES "user" (id) ON DELETE CASCADE
);
