import type { Dispatcher } from 'undici'
import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../../src/errors.ts'
import { BatchSize } from '../../../src/upstream/transport/batch-size.ts'
import { Connection } from '../../../src/upstream/transport/connection.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { Exchange } from '../../../src/upstream/transport/exchange.ts'
import { enter, Phase, transitions, type PhaseName } from '../../../src/upstream/transport/exchange-phase.ts'
import { Pipeline } from '../../../src/upstream/transport/pipeline.ts'
import { testRun } from '../../helpers/call.ts'
import { documentedPhases } from '../../helpers/documented-phases.ts'
import { rest } from '../../helpers/turn.ts'

test('docs/design.md has the phases of an exchange and their transitions', async t => {
  t.same(await documentedPhases('The phases of an exchange'), Object.entries(transitions))
})

test('a transition that is not in the table throws', t => {
  for (const from of Object.keys(Phase) as PhaseName[]) {
    for (const to of Object.keys(Phase) as PhaseName[]) {
      if (transitions[from].includes(to)) t.equal(enter(Phase[from], Phase[to]), Phase[to])
      else t.throws(() => enter(Phase[from], Phase[to]), `exchange: there is no transition from ${from} to ${to}`)
    }
  }
  t.end()
})

const { ask, tell } = defineUpstream(
  'nobody',
  { origin: 'http://127.0.0.1:9', maxResponseBytes: 100 },
  {
    ask: operation({ path: '/', output: z.unknown(), nullOn: [404] }),
    tell: operation({ method: 'POST', path: '/', output: z.unknown() }),
  },
)

/** An upstream's part of an exchange, in an order that undici can bring. */
const upstreamEvents = fc.record({
  hints: fc.integer({ min: 0, max: 10 }),
  status: fc.constantFrom(200, 404, 500),
  length: fc.constantFrom(undefined, 20_000),
  chunks: fc.array(fc.constantFrom(5, 60, 20_000), { maxLength: 4 }),
  end: fc.constantFrom('end', 'error', 'lost', 'never'),
})

test('an exchange takes only the transitions of the table and settles once, whatever comes in which order', async t => {
  await fc.assert(
    fc.asyncProperty(
      upstreamEvents,
      fc.boolean(),
      fc.constantFrom('none', 'alone', 'shared', 'queued'),
      fc.nat({ max: 15 }),
      fc.constantFrom('gone', 'deadline', 'nothing'),
      fc.nat({ max: 15 }),
      async ({ hints, status, length, chunks, end }, isUnsafe, place, cutAt, reason, stopAt) => {
        const run = testRun()
        const settled: unknown[] = []
        const completion = {
          resolve: (what: unknown) => settled.push(what),
          reject: (what: unknown) => settled.push(what),
        }
        let dispatched = 0
        const pool = {
          dispatch: () => {
            dispatched++
          },
        }
        const exchange = new Exchange(run.ask<unknown>(isUnsafe ? tell() : ask()), completion, pool, {
          method: 'GET',
          path: '/',
        })
        const controller = {
          abort: (error: Error) => {
            if (exchange.phase !== Phase.done) exchange.onResponseError(controller, error)
          },
        } as unknown as Dispatcher.DispatchController
        const connect = () => {
          throw new Error('nothing is dispatched')
        }
        if (place === 'alone') exchange.connection = new Connection('http://127.0.0.1:9', { connect })
        if (place === 'shared') {
          const pipeline = new Pipeline('http://127.0.0.1:9', { connect, pipelining: 4, batchSize: new BatchSize(4) })
          const other = new Exchange(testRun().ask<unknown>(ask()), { resolve() {}, reject() {} }, pool, {
            method: 'GET',
            path: '/',
          })
          for (const each of [exchange, other]) pipeline.assign(each, performance.now())
          exchange.connection = other.connection = pipeline
        }

        const head = {
          'content-type': 'application/json',
          ...(length !== undefined && { 'content-length': String(length) }),
        }
        const events: (() => void)[] =
          place === 'queued'
            ? []
            : [
                () => exchange.onRequestStart(controller),
                ...Array.from({ length: hints }, () => () => exchange.onResponseStart(controller, 103, {})),
                () => exchange.onResponseStart(controller, status, head),
                ...chunks.map(bytes => () => exchange.onResponseData(controller, Buffer.alloc(bytes, '1'))),
                () => {
                  if (end === 'end') exchange.onResponseEnd()
                  else if (end === 'error')
                    exchange.onResponseError(controller, Object.assign(new Error('reset'), { code: 'ECONNRESET' }))
                  else if (end === 'lost') exchange.connectionLost(false)
                },
              ]
        const cut = () => run.abort.abort(reason === 'gone' ? 'gone' : new UpstreamError('DEADLINE_EXCEEDED', 'test'))
        let isCut = false
        for (const [at, event] of events.slice(0, stopAt).entries()) {
          if (at === cutAt && reason !== 'nothing') {
            cut()
            isCut = true
          }
          // undici reports nothing more of a request that was aborted.
          if (exchange.phase === Phase.done) break
          try {
            event()
          } catch (error) {
            // undici takes what onRequestStart throws as a cancelled request.
            if (at !== 0 || !isCut) throw error
            exchange.onResponseError(null, error as Error)
          }
        }
        if (reason !== 'nothing') cut()
        await rest()
        const { phase } = exchange
        t.ok(settled.length <= 1, 'it settles once')
        t.equal(
          run.abort.size,
          settled.length === 1 ? 0 : 1,
          'it listens to its abort for as long as it is not settled',
        )
        t.equal(settled.length === 1, phase >= Phase.abandoned, 'from abandoned on it is settled')
        if (reason === 'deadline') t.equal(settled.length, 1, 'a deadline ends it')
        t.equal(dispatched, 0)
      },
    ),
    { numRuns: 2000 },
  )
})
