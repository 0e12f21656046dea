import type { Entry } from './entry.ts'
import { KeptEntry } from './kept-entry.ts'

/**
 * Bodies from this length on are read in a turn of their own, in bytes or, where they come from elsewhere, in
 * characters.
 */
const largeBytes = 128 * 1024

/**
 * Returns whether what a store gave back has so much to read that it would hold up everything else; reading it never
 * throws.
 */
export function isLarge(stored: unknown): stored is object {
  if (KeptEntry.is(stored)) return stored.unread >= largeBytes
  try {
    const body = (stored as Partial<Entry> | undefined | null)?.body
    return typeof body === 'string' && body.length >= largeBytes
  } catch {
    return false
  }
}
