"""The vault's data keys, wrapped, in the database: its DataKeyStore."""
