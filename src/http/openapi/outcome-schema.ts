import { z } from 'zod'
import { errors, type ErrorCode as Code } from '../../errors.ts'

const codes = Object.keys(errors) as [Code, ...Code[]]

/** Every way to fail. */
export const ErrorCode = z
  .enum(codes)
  .describe(
    `What is wrong with whoever failed, and the status of a reply that fails for it:\n\n${codes.map(code => `- \`${code}\` (${errors[code].status}): ${errors[code].text}`).join('\n')}`,
  )
  .meta({ id: 'ErrorCode' })

const code = ErrorCode.describe('Why it failed.')
const start = z.number().min(0).describe('When it started, in ms from the start of the run.')
const ms = z.number().min(0).describe('How long it took, in ms.')
const attempts = z.int().min(0).describe('How often its calls were sent.')
const status = z.int().min(100).max(599).optional().describe('The HTTP status of the upstream, where it came that far.')
const times = { start, ms, attempts }
const cached = {
  cache: z
    .enum(['hit', 'stale', 'miss'])
    .optional()
    .describe(
      'Where the answer is from: kept and fresh (`hit`), kept and no longer fresh (`stale`), or from the upstream (`miss`; with status 304 it said that what was kept has not changed). Of several calls the last of these that is true of one; absent where nothing is kept.',
    ),
  age: z.int().min(0).optional().describe('How old an answer is that was kept, in s; of several the oldest.'),
  ttl: z
    .int()
    .optional()
    .describe('For how long it stays fresh, in s; negative when it no longer is. Of several the shortest.'),
}

const Loss = z
  .object({
    index: z.int().min(0).describe('Which of the calls, from 0.'),
    code,
    status,
  })
  .describe('One lost call of a step that makes several.')
  .meta({ id: 'Loss' })

const tally = {
  calls: z.int().min(0).describe('Calls to be made.'),
  ok: z.int().min(0).describe('Calls that were answered and whose answers are used.'),
  failed: z.array(Loss).describe('Calls that were lost, in the order of the calls.'),
}

const Cancelled = z
  .object({ state: z.literal('cancelled'), start: start.optional(), ms, attempts, status })
  .describe('Stopped, or never started, since another step had failed already.')
  .meta({ id: 'OutcomeCancelled' })

/** How a step that asks one thing ended. */
export const Outcome = z
  .discriminatedUnion('state', [
    z
      .object({ state: z.literal('ok'), ...times, status, ...cached })
      .describe('It has its value.')
      .meta({ id: 'OutcomeOk' }),
    z
      .object({ state: z.literal('stale'), ...times, status, ...cached, code })
      .describe('It failed, or took too long, and an older answer that was kept stands in for its value.')
      .meta({ id: 'OutcomeStale' }),
    z
      .object({ state: z.literal('skipped'), ...times })
      .describe('There was nothing to ask; this does not make a reply incomplete.')
      .meta({ id: 'OutcomeSkipped' }),
    z
      .object({ state: z.literal('fallback'), ...times, status, code })
      .describe('It failed, and a fallback stands in for its value.')
      .meta({ id: 'OutcomeFallback' }),
    z
      .object({ state: z.literal('failed'), ...times, status, code })
      .describe('It failed, and the request with it.')
      .meta({ id: 'OutcomeFailed' }),
    Cancelled,
  ])
  .describe('How a step that asks one thing ended.')
  .meta({ id: 'Outcome' })

/** How a step that makes several calls ended. */
export const ListOutcome = z
  .discriminatedUnion('state', [
    z
      .object({ state: z.enum(['ok', 'stale', 'partial', 'skipped']), ...times, ...tally, ...cached })
      .describe(
        'It has its values; when `stale`, older answers that were kept stand in for some that failed, when `partial`, fallbacks stand in for those of the calls in `failed`, and when `skipped`, there was nothing to ask.',
      )
      .meta({ id: 'ListOutcomeOk' }),
    z
      .object({
        state: z.literal('failed'),
        ...times,
        calls: tally.calls.optional(),
        ok: tally.ok.optional(),
        failed: tally.failed.optional(),
        code,
      })
      .describe('It failed, and the request with it.')
      .meta({ id: 'ListOutcomeFailed' }),
    Cancelled,
  ])
  .describe('How a step that makes several calls ended.')
  .meta({ id: 'ListOutcome' })
