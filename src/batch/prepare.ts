import { overflow, normalizeNumbers } from '../core/json/settle.ts'
import { tooLarge } from '../core/json/number-fault.ts'
import { errors, Problem, UpstreamError, type Fault } from '../errors.ts'
import { readInput, type RawInput } from '../fanout/input.ts'
import type { InboundHeaders } from '../upstream/call/inbound.ts'
import type { Prepared } from './batch-call.ts'
import type { Offered } from './offer.ts'

/** The faults of an input that is refused, with pointers into the call or into the request. There is at least one. */
export type Refused = readonly Fault[]

/**
 * Makes the request of a call from an input without references.
 *
 * @param at The pointer to the input.
 * @returns The request, or the faults of the input.
 * @throws Any error of a function of the author
 */
export function prepare(offered: Offered, input: unknown, headers: InboundHeaders, at: string): Prepared | Refused {
  return offered.aggregate === undefined
    ? prepareOperation(offered, input, at)
    : prepareAggregate(offered, input as RawInput | undefined, headers, at)
}

function prepareOperation(
  offered: Offered & { aggregate?: undefined },
  input: unknown,
  at: string,
): Prepared | Refused {
  const settled = normalizeNumbers(input)
  if (settled === overflow) return [{ pointer: at, reason: `has a number that ${tooLarge}` }]
  try {
    return { offered, call: offered.create(settled) }
  } catch (error) {
    if (error instanceof UpstreamError && error.code === 'CALL_INPUT_INVALID')
      return [{ pointer: at, reason: detailOf(error) }]
    throw error
  }
}

/** Returns the part of a message that says what is wrong. */
function detailOf({ message, source, code }: UpstreamError): string {
  return message.slice(`${source} ${errors[code].text}: `.length)
}

function prepareAggregate(
  offered: Offered & { spec?: undefined },
  { params, query, body }: RawInput = {},
  headers: InboundHeaders,
  at: string,
): Prepared | Refused {
  const { aggregate } = offered
  try {
    return {
      offered,
      input: readInput(aggregate.route, { params: asTexts(params), query: asTexts(query), body, headers }),
    }
  } catch (error) {
    if (!(error instanceof Problem) || error.faults === undefined) throw error
    // The headers are those of the whole request.
    const moved = ({ pointer, reason }: Fault) => ({
      pointer: pointer.startsWith('/headers/') ? pointer : at + pointer,
      reason,
    })
    return error.faults.map(moved)
  }
}

/**
 * Writes the numbers and the booleans of a path or a query as texts, because an aggregate reads texts there. Lists have
 * texts as their items.
 */
export function asTexts(fields: unknown): unknown {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return fields
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]: [string, unknown]) => [
      name,
      Array.isArray(value) ? value.map(asText) : asText(value),
    ]),
  )
}

function asText(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint' ? String(value) : value
}
