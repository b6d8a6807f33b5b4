//! Tests of the program as a whole: the real binary, real sockets, a real disk.

mod torture;
