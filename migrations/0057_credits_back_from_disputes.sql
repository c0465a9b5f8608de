-- Credits that a verdict took and that return, because it does not hold any more, are entries of a kind of their own.
alter table credit_entries drop constraint credit_entries_kind_known, drop constraint credit_entries_signed;
alter table credit_entries
    add constraint credit_entries_kind_known check (kind in ('bought', 'spent', 'spend-reversed', 'refunded', 'refund-failed', 'adjusted', 'gift',
        'expired', 'frozen', 'released', 'disputed', 'dispute-reversed')),
    add constraint credit_entries_signed check (case
        when kind in ('bought', 'spend-reversed', 'refund-failed', 'gift', 'dispute-reversed') then amount > 0 and froze = 0
        when kind in ('spent', 'refunded', 'expired') then amount < 0 and froze = 0
        when kind = 'adjusted' then amount <> 0 and froze = 0
        when kind = 'frozen' then amount = 0 and froze > 0
        when kind = 'released' then amount = 0 and froze < 0
        else amount < 0 and froze <= 0 end);
