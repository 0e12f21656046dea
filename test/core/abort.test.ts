import { test } from 'tap'
import { Abort } from '../../src/core/abort.ts'
import { Listener } from '../helpers/listener.ts'

function listener(name: string, told: string[], then: () => void = () => {}) {
  return new Listener(reason => {
    told.push(`${name}: ${String(reason)}`)
    then()
  })
}

test('each listener of an abort gets the reason, in the order of adding, and the abort keeps the reason', t => {
  const abort = new Abort()
  const told: string[] = []
  const listeners = ['a', 'b', 'c'].map(name => listener(name, told))
  for (const each of listeners) abort.add(each)
  t.equal(abort.size, 3)
  t.match(abort, { aborted: false, reason: undefined })
  abort.abort('gone')
  t.same(told, ['a: gone', 'b: gone', 'c: gone'])
  t.match(abort, { aborted: true, reason: 'gone' })
  t.end()
})

test('a listener that was deleted is not called, at whichever place of the list it stood', t => {
  for (const leaver of [0, 1, 2]) {
    const abort = new Abort()
    const told: string[] = []
    const listeners = ['a', 'b', 'c'].map(name => listener(name, told))
    for (const each of listeners) abort.add(each)
    abort.delete(listeners[leaver] as Listener)
    t.equal(abort.size, 2)
    abort.delete(listeners[leaver] as Listener)
    t.equal(abort.size, 2, 'leaving twice is leaving once')
    abort.abort('gone')
    t.same(
      told,
      ['a', 'b', 'c'].filter((_, at) => at !== leaver).map(name => `${name}: gone`),
    )
    for (const each of listeners) abort.delete(each)
    t.equal(abort.size, 0)
    abort.add(listeners[leaver] as Listener)
    t.equal(abort.size, 1, 'one that left may come again')
  }
  t.end()
})

test('leaving an abort that one never listened to changes nothing', t => {
  const [one, other] = [new Abort(), new Abort()]
  const told: string[] = []
  const each = listener('a', told)
  one.add(each)
  other.delete(each)
  t.equal(one.size, 1)
  t.equal(other.size, 0)
  one.abort('gone')
  t.same(told, ['a: gone'])
  t.end()
})

test('a second abort reaches the listeners that are left, and the first reason stays', t => {
  const abort = new Abort()
  const told: string[] = []
  const leaves = listener('leaves', told, () => abort.delete(leaves))
  abort.add(leaves)
  abort.add(listener('stays', told))
  abort.abort('caller gone')
  abort.abort('deadline')
  t.same(told, ['leaves: caller gone', 'stays: caller gone', 'stays: deadline'])
  t.equal(abort.reason, 'caller gone')
  t.equal(abort.size, 1)
  t.end()
})

test('listeners that delete themselves during the abort do not skip another listener', t => {
  const abort = new Abort()
  const told: string[] = []
  const listeners: Listener[] = ['a', 'b', 'c'].map(name =>
    listener(name, told, () => abort.delete(listeners.find((_, at) => 'abc'[at] === name) as Listener)),
  )
  for (const each of listeners) abort.add(each)
  abort.abort('gone')
  t.same(told, ['a: gone', 'b: gone', 'c: gone'])
  t.equal(abort.size, 0)
  t.end()
})

test('a listener that an earlier listener deletes during the abort is not called', t => {
  const abort = new Abort()
  const told: string[] = []
  const last = listener('last', told)
  abort.add(listener('first', told, () => abort.delete(last)))
  abort.add(last)
  abort.abort('gone')
  t.same(told, ['first: gone'])
  t.end()
})

test('an abort may listen to another', t => {
  const [outer, inner] = [new Abort(), new Abort()]
  const told: string[] = []
  inner.add(listener('a', told))
  outer.add(inner)
  outer.abort('gone')
  t.match(inner, { aborted: true, reason: 'gone' })
  t.same(told, ['a: gone'])
  t.end()
})

test('the signal of an abort is one object, and has the reason of the abort whether it was read before or after', t => {
  const [before, after] = [new Abort(), new Abort()]
  const reason = { gone: true }
  const early = before.signal
  t.equal(early.aborted, false)
  for (const abort of [before, after]) abort.abort(reason)
  t.equal(before.signal, early)
  for (const { signal } of [before, after]) {
    t.equal(signal.aborted, true)
    t.equal(signal.reason, reason)
  }
  before.abort('again')
  t.equal(early.reason, reason)
  t.end()
})
