//! Every target on its seeds, and on the same mutations of them in every run.

mod seeds;
