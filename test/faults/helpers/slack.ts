import { isExact } from '../../helpers/timing.ts'

/** What an answer may be late by, in ms, where other tests run at the same time; nothing where bounds are exact. */
export const slack = isExact ? 0 : 5000

/** A limit that no line reaches that does not mean to, in ms. */
export const patience = 10_000

/** How often something is tried that a busy machine may hold up. */
export const triesOfBusy = isExact ? 1 : 5
