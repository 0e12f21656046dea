import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { oracle } from '../helpers/oracle.ts'
import { problemOf } from '../helpers/problem-of.ts'

const asking = aggregate('asking', { url: '/asking' })
  .required('it', () => oracle.ask({ id: 'it' }))
  .reply(z.unknown(), ({ it }) => it)

test('a watcher that throws fails its run like any other bug, gets no further event, and ends no other run', async t => {
  const runtime = heldRuntime()
  const told: string[] = []
  const problem = await problemOf(
    fanOut(
      asking,
      {},
      {
        runtime,
        onEvent(event) {
          told.push(event.type)
          throw new Error('the watcher broke')
        },
      },
    ),
  )
  t.match(problem, { code: 'INTERNAL', statusCode: 500, cause: { message: 'the watcher broke' } })
  t.same(told, ['run started'])
})

test('a watcher whose promise rejects fails its run like one that throws', async t => {
  const onEvent = (() => Promise.reject(new Error('the watcher broke'))) as unknown as () => void
  const problem = await problemOf(fanOut(asking, {}, { runtime: heldRuntime(), onEvent }))
  t.match(problem, { code: 'INTERNAL', cause: { message: 'the watcher broke' } })
})

test('a watcher that throws at the end changes nothing of the reply', async t => {
  const plain = aggregate('plain', { url: '/plain' })
    .required('it', () => 1)
    .reply(z.number(), ({ it }) => it)
  const { data } = await fanOut(
    plain,
    {},
    {
      runtime: heldRuntime(),
      onEvent(event) {
        if (event.type === 'run ended') throw new Error('too late')
      },
    },
  )
  t.equal(data, 1)
})

test('an invalid deadline is refused with the allowed values', async t => {
  for (const deadline of [0, -1, Number.NaN]) {
    await t.rejects(fanOut(asking, {}, { runtime: heldRuntime(), deadline }), {
      name: 'TypeError',
      message: /number of ms above 0/,
    })
  }
})
