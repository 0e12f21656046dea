import { once, EventEmitter } from 'node:events'
import { gzip, gzipSync } from 'node:zlib'
import type { Dispatcher } from 'undici'
import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { Exchange } from '../../src/upstream/transport/exchange.ts'
import { testRun } from '../helpers/call.ts'

const { ask, tell } = defineUpstream(
  'nobody',
  { origin: 'http://127.0.0.1:9' },
  {
    ask: operation({ path: '/', output: z.unknown() }),
    tell: operation({ method: 'POST', path: '/', output: z.unknown() }),
  },
)

/** An exchange whose callbacks the test makes itself, in orders that a real socket seldom brings. */
function arrange(call = ask()) {
  const run = testRun()
  const told: unknown[] = []
  const settled = new EventEmitter()
  const settle = (what: unknown) => {
    told.push(what)
    settled.emit('settled')
  }
  const exchange = new Exchange(
    run.ask(call),
    { resolve: settle, reject: settle },
    { dispatch: () => {} },
    { method: 'GET', path: '/' },
  )
  const aborts: Error[] = []
  const controller = {
    abort: (reason: Error) => {
      aborts.push(reason)
    },
  } as unknown as Dispatcher.DispatchController
  const start = (headers = {}) => {
    exchange.onRequestStart(controller)
    exchange.onResponseStart(controller, 200, { 'content-type': 'application/json', ...headers })
  }
  return { run, told, exchange, controller, aborts, start, settled: () => once(settled, 'settled') }
}

/** Work of the same thread pool that ends after all that was asked of it before. */
async function decoded(): Promise<void> {
  await Promise.all(Array.from({ length: 8 }, () => new Promise(resolve => gzip('x', resolve))))
}

test('a call given up while its body is decoded is rejected once, whatever the decoder brings', async t => {
  const good = gzipSync('"well"')
  for (const body of [good, good.subarray(0, -8)]) {
    const { run, told, exchange, controller, start } = arrange()
    start({ 'content-encoding': 'gzip' })
    exchange.onResponseData(controller, body)
    exchange.onResponseEnd()
    t.same(told, [])
    run.abort.abort('gone')
    t.same(told, ['gone'])
    await decoded()
    t.same(told, ['gone'])
    t.equal(run.abort.size, 0)
  }
})

test('events after the end of an exchange change nothing', t => {
  const { run, told, exchange, controller, aborts, start } = arrange()
  start()
  exchange.onAbort('gone')
  exchange.onAbort('gone again')
  exchange.onResponseData(controller, Buffer.from('"late"'))
  exchange.onResponseEnd()
  exchange.onResponseError(controller, new Error('late'))
  t.same(told, ['gone'])
  t.equal(aborts.length, 1)
  t.equal(run.abort.size, 0)
  t.end()
})

test('a call given up before its connection is there is cancelled when it is, and the connection is kept', t => {
  const { run, told, exchange, controller, aborts } = arrange(tell())
  run.abort.abort('gone')
  t.same(told, ['gone'], 'an unsafe one too: it was not sent')
  t.throws(() => exchange.onRequestStart(controller), 'undici takes what is thrown as a cancelled request')
  t.equal(aborts.length, 0)
  t.end()
})

test('a lost connection does not fail a call that was not sent', t => {
  const { told, exchange, controller, aborts } = arrange()
  exchange.connectionLost(false)
  t.same(told, [])
  exchange.onRequestStart(controller)
  exchange.connectionLost(false)
  t.match(told, [{ code: 'UPSTREAM_RESET', verdict: 'ignored' }])
  t.equal(aborts.length, 1, 'and it is not sent again by undici')
  t.end()
})

test('an internal error that undici reports is not a failure of the upstream', t => {
  for (const call of [ask(), tell()]) {
    const { told, exchange } = arrange(call)
    const bug = Object.assign(new TypeError('invalid header'), { code: 'UND_ERR_INVALID_ARG' })
    exchange.onResponseError(null, bug)
    t.same(told, [bug])
    t.notOk(told[0] instanceof UpstreamError)
  }
  t.end()
})
