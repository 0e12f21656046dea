import type { Call } from '../upstream/call/call.ts'
import type { FoundCall } from './found-calls.ts'
import type { ExplainedCall, Times } from './explanation.ts'

/** Explains the calls of a step. Equal calls are one entry with their number. */
export function groupedCalls(
  calls: readonly FoundCall[],
  maxItems: number,
  explainOne: (call: Call<unknown>, times: Times) => ExplainedCall,
): ExplainedCall[] {
  const entries = new Map<string, ExplainedCall>()
  for (const { call, list, later } of calls) {
    const times = list === undefined ? 1 : { perItemOf: list.of, atMost: Math.min(list.atMost ?? maxItems, maxItems) }
    const first = explainOne(call, times)
    const entry = later.length === 0 ? first : { ...first, later: later.map(each => explainOne(each, 1)) }
    const same = JSON.stringify(entry)
    const before = entries.get(same)
    entries.set(
      same,
      before === undefined || typeof before.times !== 'number' ? entry : { ...before, times: before.times + 1 },
    )
  }
  return [...entries.values()]
}
