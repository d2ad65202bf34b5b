"""Problems as tables: exported for spreadsheets, and imported from them."""
