/**
 * The Rust peer of the tests is compiled without optimisation, in about half of the time: its tests compare behaviour.
 * The next start by the bench compiles it with optimisation. Import this module before those that start peers, because
 * they read the environment when they are loaded.
 */
process.env['CARGO_PROFILE_RELEASE_OPT_LEVEL'] = '0'
