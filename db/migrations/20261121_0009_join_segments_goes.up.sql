-- Events that are sent over the API take it for known where their organization stores, and have `hold_segment` say if it is not.
drop function join_segments;
