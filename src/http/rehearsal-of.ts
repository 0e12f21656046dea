import type { IncomingHttpHeaders } from 'node:http'
import type { Fault } from '../errors.ts'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import { faultHeader, type Rehearsal } from '../fanout/rehearsal/fault.ts'
import { readFaults } from '../fanout/rehearsal/read-faults.ts'

/** Returns the faults that a request asks for; undefined for a request without faults. Adds a fault for a wrong one. */
export function rehearsalOf(
  aggregate: AnyAggregate,
  headers: IncomingHttpHeaders,
  faults: Fault[],
): Rehearsal | undefined {
  const given = headers[faultHeader]
  if (given === undefined) return undefined
  const { rehearsal, reasons } = readFaults(String(given), aggregate)
  for (const reason of reasons) faults.push({ pointer: `/headers/${faultHeader}`, reason })
  return rehearsal
}

/** Returns the headers that the steps and the upstreams of the run receive. */
export function withoutFaults(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const { [faultHeader]: _faults, ...others } = headers
  return others
}
