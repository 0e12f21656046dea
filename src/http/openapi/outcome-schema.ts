import { z } from 'zod'
import { errors, type ErrorCode as Code } from '../../errors.ts'

const codes = Object.keys(errors) as [Code, ...Code[]]

/** The error codes. */
export const ErrorCode = z
  .enum(codes)
  .describe(
    `The error codes. Each has the status of a reply that fails with it, and the text of its detail:\n\n` +
      `${codes.map(code => `- \`${code}\` (${errors[code].status}): ${errors[code].text}`).join('\n')}`,
  )
  .meta({ id: 'ErrorCode' })

const code = ErrorCode.describe('The code of the failure.')
const start = z.number().min(0).describe('The time of its start in ms, from the start of the run.')
const ms = z.number().min(0).describe('Its duration in ms.')
const attempts = z.int().min(0).describe('The number of attempts of all its calls.')
const status = z.int().min(100).max(599).optional().describe('The HTTP status of the upstream, if it responded.')
/** Only a service in development sends it. */
const fault = z
  .string()
  .optional()
  .describe(
    'The rehearsed fault that acted on the step, for example `delay:500`, `fail:503` or `drop`. Absent unless the ' +
      'caller asked for one.',
  )
const times = { start, ms, attempts, fault }
const cached = {
  cache: z
    .enum(['hit', 'stale', 'miss'])
    .optional()
    .describe(
      'The source of the response: fresh from the cache (`hit`), stale from the cache (`stale`), or the upstream ' +
        '(`miss`; with status 304 the upstream confirmed the stored response). With several calls it is the last ' +
        'of these that applies to one of them. Absent if the step has no cache.',
    ),
  age: z.int().min(0).optional().describe('The age of the cached response in s; with several calls, of the oldest.'),
  ttl: z
    .int()
    .optional()
    .describe(
      'The remaining freshness of the cached response in s; negative if it is ' +
        'stale. With several calls it is the lowest.',
    ),
}

const Loss = z
  .object({
    index: z.int().min(0).describe('The index of the call, from 0.'),
    code,
    status,
  })
  .describe('A failed call of a step with several calls.')
  .meta({ id: 'Loss' })

const tally = {
  calls: z.int().min(0).describe('The number of calls of the step.'),
  ok: z.int().min(0).describe('The number of calls that succeeded and whose values are used.'),
  failed: z.array(Loss).describe('The failed calls, in the order of the calls.'),
}
/** The counts of a step that may ask several calls. */
const several = {
  calls: tally.calls.optional(),
  ok: tally.ok.optional(),
  failed: tally.failed.optional(),
}
const omitted = z
  .int()
  .min(1)
  .nullable()
  .optional()
  .describe(
    'The number of items or pages that were not called because the list exceeds its limit. `null` if further pages ' +
      'exist and their number is not known. Absent if the list does not exceed its limit.',
  )

const Cancelled = z
  .object({ state: z.literal('cancelled'), start: start.optional(), ms, attempts, status, fault })
  .describe('The step was aborted, or not started, because another step failed.')
  .meta({ id: 'OutcomeCancelled' })

/** The outcome of a required or an optional step. */
export const Outcome = z
  .discriminatedUnion('state', [
    z
      .object({ state: z.literal('ok'), ...times, status, ...several, ...cached })
      .describe('The step succeeded.')
      .meta({ id: 'OutcomeOk' }),
    z
      .object({ state: z.literal('stale'), ...times, status, ...several, ...cached, code })
      .describe('A call failed or was too slow, and a stale cached response replaces its value.')
      .meta({ id: 'OutcomeStale' }),
    z
      .object({ state: z.literal('skipped'), ...times, ...several })
      .describe('The step has no value of its own. The reply can still be complete.')
      .meta({ id: 'OutcomeSkipped' }),
    z
      .object({ state: z.literal('fallback'), ...times, status, ...several, code })
      .describe('The step failed, and a fallback replaces its value.')
      .meta({ id: 'OutcomeFallback' }),
    z
      .object({ state: z.literal('failed'), ...times, status, ...several, code })
      .describe('The step failed, so the request failed.')
      .meta({ id: 'OutcomeFailed' }),
    Cancelled,
  ])
  .describe('The outcome of a step with one value. If it makes several calls, it has their counts.')
  .meta({ id: 'Outcome' })

/** The outcome of a step with several calls. */
export const ListOutcome = z
  .discriminatedUnion('state', [
    z
      .object({ state: z.enum(['ok', 'stale', 'partial', 'skipped']), ...times, ...tally, omitted, ...cached })
      .describe(
        '`ok`: the step succeeded. `stale`: stale cached responses replace some values. `partial`: fallbacks ' +
          'replace the values of the calls in `failed`, pages from the first failed one on are missing, or items or ' +
          'pages are `omitted`. `skipped`: the step has an empty list.',
      )
      .meta({ id: 'ListOutcomeOk' }),
    z
      .object({ state: z.literal('fallback'), ...times, ...tally, code })
      .describe('The step failed before its list of calls, and an empty list replaces its value.')
      .meta({ id: 'ListOutcomeFallback' }),
    z
      .object({
        state: z.literal('failed'),
        ...times,
        ...several,
        omitted,
        code,
      })
      .describe('The step failed, so the request failed.')
      .meta({ id: 'ListOutcomeFailed' }),
    Cancelled,
  ])
  .describe('The outcome of a step with several calls.')
  .meta({ id: 'ListOutcome' })

/** The outcome of context(). */
export const ContextOutcome = z
  .union([Outcome, ListOutcome])
  .describe('The outcome of context(), like that of a step with one value or that of a step with several calls.')
  .meta({ id: 'ContextOutcome' })
