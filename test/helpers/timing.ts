/**
 * Whether bounds of time are exact: `npm run test:timing` sets it, runs each file alone and compares the files' misses
 * of several runs. Without it tests run beside others, and their bounds have slack for that.
 */
export const isExact = process.env['HEADWATERS_TEST_TIMING'] === '1'
