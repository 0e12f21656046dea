import { test } from 'tap'
import { SharedLookups } from '../../../src/redis/cache/shared-lookups.ts'
import { failure } from '../../helpers/failure.ts'
import { turn } from '../../helpers/turn.ts'

/** Lookups whose replies the test gives. */
function arrange() {
  const lookups = new SharedLookups<string>()
  const sent: PromiseWithResolvers<string>[] = []
  const read = () => {
    const reply = Promise.withResolvers<string>()
    sent.push(reply)
    return reply.promise
  }
  return { sent, find: (key = 'a') => lookups.find(key, read) }
}

test('lookups that arrive while one is in flight share the next one, which is sent after it', async t => {
  const { sent, find } = arrange()
  const first = find()
  const later = [find(), find(), find()]
  t.equal(sent.length, 1)
  sent[0]?.resolve('one')
  t.equal(await first, 'one')
  await turn()
  t.equal(sent.length, 2)
  const last = find()
  sent[1]?.resolve('two')
  t.same(await Promise.all(later), ['two', 'two', 'two'])
  await turn()
  sent[2]?.resolve('three')
  t.equal(await last, 'three')
})

test('a lookup after the end of all others is sent at once', async t => {
  const { sent, find } = arrange()
  const first = find()
  sent[0]?.resolve('one')
  await first
  const second = find()
  t.equal(sent.length, 2)
  sent[1]?.resolve('two')
  t.equal(await second, 'two')
})

test('a lookup that fails does not fail the next one', async t => {
  const { sent, find } = arrange()
  const first = failure(find())
  const second = find()
  sent[0]?.reject('lost')
  t.equal(await first, 'lost')
  await turn()
  sent[1]?.resolve('two')
  t.equal(await second, 'two')
})

test('lookups of different keys are sent at once', t => {
  const { sent, find } = arrange()
  void find('a')
  void find('b')
  t.equal(sent.length, 2)
  t.end()
})
