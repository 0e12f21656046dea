import { z } from 'zod'
import type { Entry } from './entry.ts'

const ms = z.number().min(0)

/** Entries as they come back from elsewhere; whatever else is in them is of a version that we do not know. */
const Stored = z.object({
  status: z.int().min(200).max(599),
  head: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
  bytes: ms,
  requestedAt: ms,
  receivedAt: ms,
  initialAge: ms,
  lifetime: ms,
  staleWhileRevalidate: ms,
  staleIfError: ms,
  body: z.string(),
})

/** Takes an entry that comes from elsewhere, or nothing where it is none. */
export function readEntry(stored: unknown): (Entry & { readonly body: string }) | undefined {
  return Stored.safeParse(stored).data
}
