"""The reference service: its behaviour is the contract that the Rust service keeps."""
