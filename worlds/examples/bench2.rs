//! Scratch.
fn main() {
    println!("{}", archipel_worlds::speed::measure(5, std::time::Duration::from_millis(1)));
}
