//! (the colleague's)
