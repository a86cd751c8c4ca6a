-- Every statement accepts that its table is there already: a database that Alembic made is adopted
-- as it is. Types and representations are SQLAlchemy's: a uuid is 32 hexadecimal digits, a point in
-- time the text of its UTC date and time.
CREATE TABLE IF NOT EXISTS user (
    id CHAR(32) NOT NULL,
    email VARCHAR(255) NOT NULL,
    is_active BOOLEAN NOT NULL,
    is_superuser BOOLEAN NOT NULL,
    full_name VARCHAR(255),
    hashed_password VARCHAR NOT NULL,
    created_at DATETIME,
    PRIMARY KEY (id)
);

CREATE UNIQUE INDEX IF NOT EXISTS ix_user_email ON user (email);

CREATE TABLE IF NOT EXISTS item (
    id CHAR(32) NOT NULL,
    title VARCHAR(255) NOT NULL,
    description VARCHAR(255),
    owner_id CHAR(32) NOT NULL,
    created_at DATETIME,
    PRIMARY KEY (id),
    FOREIGN KEY (owner_id) REFERENCES user (id) ON DELETE CASCADE
);
