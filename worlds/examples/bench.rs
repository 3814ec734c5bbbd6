//! Scratch.
fn main() {
    for n in [3, 5, 7] {
        println!("{}", archipel_worlds::speed::measure(n, std::time::Duration::from_secs(3)));
    }
}
