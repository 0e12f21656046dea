import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

/** The results of a run, compared with its inputs. */
export interface CheckedResults {
  /** The results of items that had a result before. */
  readonly duplicates: number
  /** The items without a result. */
  readonly missing: number
  /** The results that are failures, or have the value of another item. */
  readonly wrong: number
}

/** Compares the results of the items 0 to `items` - 1, whose value is their index as a text. */
export async function checkResults(body: Readable, items: number): Promise<CheckedResults> {
  const seen = new Uint8Array(items)
  let duplicates = 0
  let wrong = 0
  for await (const line of createInterface(body)) {
    const { index, status, value } = JSON.parse(line) as { index: number; status: number; value?: unknown }
    if (status !== 200 || value !== String(index) || index >= items) wrong++
    if (seen[index] === 1) duplicates++
    seen[index] = 1
  }
  return { duplicates, missing: seen.reduce((sum, count) => sum + (count === 0 ? 1 : 0), 0), wrong }
}
