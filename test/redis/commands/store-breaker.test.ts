import { test } from 'tap'
import { StoreBreaker } from '../../../src/redis/commands/store-breaker.ts'
import { effectOf, reasonOf, StoreLate } from '../../../src/redis/commands/store-errors.ts'

test('three failures in a row of one class are enough, whatever the other class does', async t => {
  const breaker = new StoreBreaker()
  t.equal(breaker.failed('write', 'counts'), false)
  breaker.succeeded('read')
  t.equal(breaker.failed('write', 'counts'), false)
  t.equal(breaker.failed('read', 'counts'), false)
  breaker.succeeded('write')
  for (const isEnough of [false, false, true]) t.equal(breaker.failed('write', 'counts'), isEnough)
  breaker.reset()
  t.equal(breaker.failed('write', 'counts'), false)
})

test('a refusal of writes is enough alone, and a full memory never is', async t => {
  const breaker = new StoreBreaker()
  t.equal(breaker.failed('write', effectOf(new Error("READONLY You can't write against a read only replica."))), true)
  for (let failed = 0; failed < 9; failed++)
    for (const message of [
      'OOM command not allowed',
      'WRONGTYPE Operation against a key',
      'NOSCRIPT No matching script.',
    ])
      t.equal(breaker.failed('write', effectOf(new Error(message))), false)
})

test('each other failure counts', async t => {
  for (const failure of [
    new StoreLate(50),
    new Error('LOADING Redis is loading the dataset in memory'),
    new Error('MASTERDOWN Link with MASTER is down'),
    new Error('CLUSTERDOWN The cluster is down'),
    new Error('Connection is closed.'),
    'a text',
    undefined,
  ])
    t.equal(effectOf(failure), 'counts')
})

test('the reason of a failure has no text of the server', async t => {
  t.equal(reasonOf(new Error('ERR unknown command `x`, with args beginning with: `secret`')), 'the server replied ERR')
  t.equal(reasonOf(new StoreLate(50)), 'the shared store sent no reply within 50 ms')
  t.equal(
    reasonOf(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })),
    'the connection failed with ECONNREFUSED',
  )
  t.equal(reasonOf(new Error('Connection is closed.')), 'the connection was lost')
  t.equal(reasonOf(undefined), 'the connection was lost')
  t.equal(reasonOf(new Error('All sentinels are unreachable. Last error: secret')), 'no Sentinel can be used')
  const lastNodeError = new Error('WRONGPASS invalid username-password pair')
  t.equal(reasonOf(Object.assign(new Error('Failed'), { lastNodeError })), 'the server replied WRONGPASS')
})
