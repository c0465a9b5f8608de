"""Pure vocabulary: ids, permissions, events, problems, paging. Nothing here touches a network or a database."""
