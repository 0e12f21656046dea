import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { Rehearsal } from '../../fanout/rehearsal/fault.ts'
import { readFaults } from '../../fanout/rehearsal/read-faults.ts'
import { UsageError } from '../usage-error.ts'

/** Reads `--deadline`, in ms. */
export function readDeadline(given: string | undefined): number | undefined {
  if (given === undefined) return undefined
  if (!/^[1-9]\d{0,8}$/.test(given)) throw new UsageError(`--deadline must be a positive integer (ms), got '${given}'`)
  return Number(given)
}

/** Reads each `--header 'name: value'`. Returns the headers by lower-case name. */
export function readHeaders(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map(header => {
      const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(header) ?? []
      if (name === undefined || value === undefined)
        throw new UsageError(`--header must be 'name: value', got '${header}'`)
      return [name.toLowerCase(), value]
    }),
  )
}

/** Reads each `--fault STEP=FAULT`. Throws a `UsageError` with all faults that are wrong. */
export function readRehearsal(aggregate: AnyAggregate, given: readonly string[]): Rehearsal | undefined {
  const { rehearsal, reasons } = readFaults(given.join(), aggregate)
  if (reasons.length > 0) throw new UsageError(reasons.map(reason => `--fault ${reason}`).join('\n'))
  return rehearsal
}
