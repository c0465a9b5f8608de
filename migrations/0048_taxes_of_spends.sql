-- What a spend was for, line by line with its taxes: kept with the entry, which nobody edits.

alter table credit_entries add column tax bigint not null default 0;
alter table credit_entries add column lines jsonb;
comment on column credit_entries.tax is 'of the amount, with its sign: taxes, which the ledger puts to what is to be handed on';
comment on column credit_entries.lines is 'personal: what was paid for or given back, each with its net amount, its taxes and its gross amount';
alter table credit_entries add constraint credit_entries_tax_within check (abs(tax) <= abs(amount) and tax * sign(amount) >= 0);
alter table credit_entries add constraint credit_entries_lines_of_spends check (
    case when lines is null then tax = 0 else kind in ('spent', 'spend-reversed') and jsonb_typeof(lines) = 'array' end);
