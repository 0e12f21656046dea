import { EventEmitter } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import fastify from 'fastify'
import { test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { aggregate, offload, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import { headwaters } from '../../src/http/plugin.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { makeGate } from '../helpers/gate.ts'
import { listening } from '../helpers/listening.ts'
import type * as functions from '../helpers/offloaded.ts'
import { isProblem, type ProblemBody } from '../helpers/problem.ts'
import { untilEvent } from '../helpers/until.ts'

const module = new URL('../helpers/offloaded.ts', import.meta.url)
const add = offload<typeof functions, 'add'>(module, 'add')
const hold = offload<typeof functions, 'hold'>(module, 'hold')
const burn = offload<typeof functions, 'burn'>(module, 'burn')
const throwing = offload<typeof functions, 'throwing'>(module, 'throwing')
const failingAfterwards = offload<typeof functions, 'failingAfterwards'>(module, 'failingAfterwards')
const Any = z.unknown()
const at = (name: string, merge: () => unknown) =>
  aggregate(name, { url: `/${name}`, deadline: 60_000 }).reply(Any, merge)

/** A log whose lines can be waited for. */
function listenedLog() {
  const lines = new EventEmitter()
  const write = (line: string) => {
    lines.emit('line', JSON.parse(line))
  }
  async function said(words: string): Promise<{ readonly err: { readonly message: string; readonly stack: string } }> {
    for await (const [line] of events)
      if ((line as { msg: string }).msg.includes(words)) return line as Awaited<ReturnType<typeof said>>
    throw new Error('unreachable')
  }
  const events = on(lines)
  return { logger: { level: 'info', stream: { write } }, said }
}

function on(lines: EventEmitter): AsyncIterable<unknown[]> {
  const all: unknown[][] = []
  lines.on('line', (line: unknown) => {
    all.push([line])
    lines.emit('more')
  })
  return {
    async *[Symbol.asyncIterator]() {
      for (let index = 0; ; index++) {
        await untilEvent(lines, 'more', () => all.length > index)
        yield all[index] as unknown[]
      }
    },
  }
}

test('a call without a free thread and with a full queue gets 503 with retry-after', async t => {
  const gate = makeGate()
  const ask = await listening(
    t,
    buildApp([at('held', () => hold(gate.cells)), at('sum', () => add(1))], { threads: { count: 1, queue: 0 } }),
  )
  const held = ask('/held')
  await gate.came(1)
  const refused = await ask<ProblemBody>('/sum')
  isProblem(t, refused, 503, 'THREADS_FULL')
  t.equal(refused.headers.get('retry-after'), '1')
  gate.open()
  t.match(await held, { status: 200, body: { data: 'held' } })
  t.match(await ask('/sum'), { status: 200, body: { data: 2 } })
})

test('an error in a thread is logged like any other, and so is the exit of an idle thread', async t => {
  const { logger, said } = listenedLog()
  const gate = makeGate()
  const ask = await listening(
    t,
    buildApp([at('throwing', () => throwing('error')), at('afterwards', () => failingAfterwards(gate.cells))], {
      logger,
    }),
  )
  isProblem(t, await ask<ProblemBody>('/throwing'), 500, 'INTERNAL')
  t.match((await said('request failed: internal error')).err, {
    message: 'too far',
    stack: /RangeError: too far[^]*offloaded\.ts/,
  })
  t.match(await ask('/afterwards'), { status: 200 })
  gate.open()
  t.match((await said('idle offload thread exited')).err, { message: 'thrown afterwards' })
})

test('a thread is terminated when its caller closes the connection', async t => {
  const gate = makeGate()
  const app = buildApp([at('burn', () => burn(gate.cells)), at('sum', () => add(1))], { threads: { count: 1 } })
  const ask = await listening(t, app)
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  socket.write('GET /burn HTTP/1.1\r\nhost: a\r\n\r\n')
  await gate.came(1)
  socket.destroy()
  t.match(await ask('/sum'), { status: 200, body: { data: 2 } })
})

test('at the drain timeout threads are terminated, and their callers get 503', async t => {
  const gate = makeGate()
  const app = buildApp([at('burn', () => burn(gate.cells))], { drainTimeout: 20 })
  const ask = await listening(t, app)
  const burning = ask<ProblemBody>('/burn')
  await gate.came(1)
  await app.close()
  isProblem(t, await burning, 503, 'RUNTIME_CLOSED')
})

test('a missing function stops the start, and the error names the aggregate, the step and the file', async t => {
  const folder = t.testdir({
    'merge.ts': 'export const merge = 1\nexport function shout () {}',
    'none.ts': '',
    'two.ts': 'export function a () {}\nexport const b = () => {}',
    'broken.ts': 'throw new Error("not today")',
  })
  const wrong = (file: string) => offload(pathToFileURL(join(folder, file)), 'merge') as unknown as () => number
  const faults: readonly (readonly [AnyAggregate, string])[] = [
    [
      at('a', wrong('merge.ts')),
      `aggregate 'a', merge: ${join(folder, 'merge.ts')} exports no function 'merge'; it exports shout`,
    ],
    [
      aggregate('b', { url: '/b' })
        .required('first', add as never)
        .required('second', wrong('none.ts'))
        .reply(Any, () => 1),
      `aggregate 'b', step 'second': ${join(folder, 'none.ts')} exports no function 'merge'`,
    ],
    [
      aggregate('c', { url: '/c' })
        .context(wrong('two.ts'))
        .reply(Any, () => 1),
      `aggregate 'c', context(): ${join(folder, 'two.ts')} exports no function 'merge'; it exports a, b`,
    ],
    [
      aggregate('d', { url: '/d' })
        .reply(Any, () => 1)
        .onReply(wrong('broken.ts') as never),
      `aggregate 'd', onReply(): ${join(folder, 'broken.ts')} cannot be loaded: not today`,
    ],
  ]
  for (const [described, message] of faults) {
    const app = buildApp([described])
    await t.rejects(
      async () => {
        await app.ready()
      },
      { name: 'TypeError', message },
    )
    await app.close()
    const own = fastify()
    await t.rejects(
      async () => {
        await own.register(headwaters, { aggregates: [described] }).ready()
      },
      { message },
    )
    await own.close()
  }
  const app = buildApp([at('sum', add as never), at('again', add as never)])
  await app.ready()
  await app.close()
})

test('a given runtime has its own threads', async t => {
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const app = fastify()
  await t.rejects(
    async () => {
      await app.register(headwaters, { aggregates: [], runtime, threads: {} }).ready()
    },
    {
      message:
        'headwaters: the options runtime and threads exclude each other: pass threads to createRuntime, or remove runtime',
    },
  )
  await app.close()
})
