// `npm run bench:logging`: measures the CPU time of the log line of one run, as the service configures its logger.
import { openSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { Problem, UpstreamError } from '../../src/errors.ts'
import { CallerCredentials } from '../../src/http/log/caller-credentials.ts'
import { CompleteRun, CompleteRunSampler } from '../../src/http/log/complete-run.ts'
import { outcomeOf } from '../../src/http/log/failure-outcome.ts'
import { loggerOptions } from '../../src/http/log/logger-options.ts'
import { logEnd } from '../../src/http/log/request-log.ts'
import type { RequestOutcome } from '../../src/http/log/request-outcome.ts'
import { failureFields, partialFields } from '../../src/http/log/run-fields.ts'
import { Destination } from '../../src/log/destination.ts'
import { lineFormat } from '../../src/log/log-format.ts'
import { Redaction } from '../../src/log/redaction.ts'

const rounds = 150
const linesPerRound = 2000
/** Lines of one turn of the event loop. The destination writes them together. */
const linesPerTurn = 20
/** The limit on the line of a complete run, in µs. */
const limit = 5

const aggregate = {
  name: 'cat-facts',
  route: { url: '/v1/cat-facts' },
  steps: [{ name: 'ninja' }, { name: 'meow' }],
}
const ok = { state: 'ok', start: 0.4, ms: 31.2, attempts: 3, calls: 3, ok: 3, failed: [] }
const whole = { ninja: ok, meow: { state: 'ok', start: 0.5, ms: 12.1, attempts: 1, status: 200 } }
const failed = { state: 'fallback', start: 0.5, ms: 12.1, attempts: 2, code: 'UPSTREAM_STATUS', status: 503 }
const error = new UpstreamError('UPSTREAM_STATUS', 'meowfacts', { upstreamStatus: 503 })
const lost = [{ step: 1, operation: 'meowfacts.facts', error }]
const credentials = new CallerCredentials({ host: '127.0.0.1', accept: '*/*' })
const problem = new Problem('UPSTREAM_STATUS', { cause: error })

const always = new CompleteRunSampler(100)
const outcomes: Readonly<Record<string, () => RequestOutcome>> = {
  'a request without a run': () => ({ level: 'info', msg: 'request completed' }),
  'a complete run of two sources': () => new CompleteRun(aggregate, whole, !always.shouldLog(), 'request completed'),
  'a partial reply of two sources': () => ({
    level: 'warn',
    fields: partialFields(aggregate, lost, { ...whole, meow: failed }, credentials),
    msg: 'reply is partial',
  }),
  'a failed run of two sources': () =>
    outcomeOf(
      problem,
      failureFields(aggregate, lost, { ...whole, meow: { ...failed, state: 'failed' } }, problem, credentials),
      credentials,
    ),
}

const stream = new Destination({ fd: openSync('/dev/null', 'w') })
const redaction = new Redaction(['an-api-key-of-a-caller', 'a-secret-of-an-upstream'])
const format = lineFormat('json', {})
const app = fastify({
  logger: { ...(loggerOptions({ level: 'info', redaction, format }) as object), stream },
  genReqId: () => '54f116c1-6efb-4672-b868-1010e4964b5f',
})
const request = await new Promise<[FastifyRequest, FastifyReply]>(resolve => {
  app.get('/v1/cat-facts', (got, reply) => {
    resolve([got, reply])
    void reply.send()
  })
  void app.inject('/v1/cat-facts?count=3')
})

const best = new Map<string, number>()
for (let round = 0; round < rounds; round++)
  // The lines take turns, so that a slow phase of the machine affects all of them.
  for (const [name, outcome] of Object.entries(outcomes)) {
    const before = process.cpuUsage()
    for (let line = 0; line < linesPerRound; line++) {
      const made = outcome()
      logEnd(...request, made, made.level)
      if (line % linesPerTurn === 0) await setImmediate()
    }
    const { user, system } = process.cpuUsage(before)
    best.set(name, Math.min(best.get(name) ?? Infinity, (user + system) / linesPerRound))
  }

for (const [name, micros] of best) process.stdout.write(`${micros.toFixed(2).padStart(6)} µs  ${name}\n`)
const run = best.get('a complete run of two sources') as number
if (stream.lost > 0) throw new Error(`${stream.lost} lines were lost`)
process.exitCode = run <= limit ? 0 : 1
process.stdout.write(`the line of a complete run ${run <= limit ? 'is within' : 'exceeds'} ${limit} µs\n`)
await app.close()
