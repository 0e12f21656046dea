import { test } from 'tap'
import { bodyKey } from '../../../src/upstream/call/body-key.ts'

test('the key of a short text is the text, and the key of a long one has a fixed length', t => {
  t.equal(bodyKey(undefined), undefined)
  t.equal(bodyKey(''), '')
  t.equal(bodyKey('a'.repeat(256)), 'a'.repeat(256))
  for (const length of [257, 1_000_000]) {
    const key = bodyKey('a'.repeat(length))
    t.ok(Array.isArray(key))
    t.equal(key?.[0]?.length, 43)
    t.not(key?.[0], bodyKey(`${'a'.repeat(length - 1)}b`)?.[0])
    t.same(key, bodyKey('a'.repeat(length)))
  }
  t.end()
})

test('the key of bytes depends on the bytes only', t => {
  t.same(bodyKey(new Uint8Array([1, 2])), bodyKey(Buffer.from([1, 2])))
  t.notSame(bodyKey(new Uint8Array([1, 2])), bodyKey(new Uint8Array([1, 3])))
  t.not(typeof bodyKey(Buffer.from('a')), 'string', 'bytes never have the key of a text')
  t.end()
})
