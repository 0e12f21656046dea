/** Whether this machine does nothing else, so that times can be held against their bounds. */
export const isExact = process.env['HEADWATERS_TEST_TIMING'] === '1'

/** What an answer may be late by, in ms: much of it is for a machine that does other things too. */
export const slack = isExact ? 50 : 5000

/** A limit that no line reaches that does not mean to, in ms. */
export const patience = 10_000

/** How often something is tried that a busy machine may hold up. */
export const triesOfBusy = isExact ? 1 : 5
