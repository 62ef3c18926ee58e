-- Entries by what made them: whoever explains an order asks for those of its execution reports.
CREATE INDEX entry_reference ON entry (account, reference);
