import { inspect } from 'node:util'
import fc from 'fast-check'
import { test } from 'tap'
import { inboundHeaders } from '../../../src/upstream/call/inbound.ts'

function recorded(headers: Readonly<Record<string, string>>, spelled?: ReadonlyMap<string, string>) {
  const names: string[] = []
  const reads = {
    names,
    isWhole: false,
    read: (name: string) => {
      names.push(name)
    },
    readAll: () => {
      reads.isWhole = true
    },
  }
  return { inbound: inboundHeaders(headers, reads, spelled), reads }
}

test('a header is found in any case, and each name that is asked for is recorded', async t => {
  const { inbound, reads } = recorded({ 'x-user': 'ada' })
  t.equal(inbound['X-USER'], 'ada')
  t.equal('x-None' in inbound, false)
  t.equal(Object.hasOwn(inbound, 'x-user'), true)
  t.equal(Object.getOwnPropertyDescriptor(inbound, 'X-Other'), undefined)
  t.same(reads.names, ['x-user', 'x-none', 'x-user', 'x-other'])
  t.equal(reads.isWhole, false)
})

test('listing the names of the inbound headers records each of them as read', async t => {
  for (const list of [
    Object.keys,
    Object.entries,
    JSON.stringify,
    (given: object) => ({ ...given }),
    (given: object) => {
      for (const name in given) return name
    },
  ]) {
    const { inbound, reads } = recorded({ 'x-user': 'ada' })
    list(inbound)
    t.equal(reads.isWhole, true, String(list))
  }
})

test('the recorded headers print, list and serialize like the plain headers, in the declared spelling', async t => {
  const { inbound } = recorded({ 'x-user': 'ada', host: 'h' }, new Map([['x-user', 'X-User']]))
  t.same({ ...inbound }, { 'X-User': 'ada', host: 'h' })
  t.equal(inspect(inboundHeaders({ host: 'h' })), "{ host: 'h' }")
  t.equal(JSON.stringify(inboundHeaders({ host: 'h' })), '{"host":"h"}')
  t.equal(Object.prototype.toString.call(inbound), '[object Object]')
  t.equal(Object.getPrototypeOf(inbound), Object.prototype)
})

test('a property that is not a header name is not recorded', async t => {
  const { inbound, reads } = recorded({ 'x-user': 'ada' })
  for (const name of ['', 'x y', 'a\r\nb', 'ä']) t.equal(inbound[name], undefined)
  t.equal(Reflect.get(inbound, Symbol.toStringTag), undefined)
  t.equal(inbound.hasOwnProperty('x-user'), true)
  t.equal(typeof inbound.constructor, 'function')
  t.same(reads.names, ['x-user'])
})

test('a layer cannot change the headers of the request', async t => {
  const headers = { 'x-user': 'ada' }
  const inbound: Record<string, string> = inboundHeaders(headers)
  t.throws(() => {
    inbound['x-user'] = 'eve'
  }, TypeError)
  t.throws(() => {
    inbound['x-more'] = 'eve'
  }, TypeError)
  t.throws(() => {
    delete inbound['x-user']
  }, TypeError)
  t.same(headers, { 'x-user': 'ada' })
})

test('every reading gives what a plain object would', t => {
  const name = fc.stringMatching(/^[a-z-]{1,6}$/).filter(each => !(each in Object.prototype))
  fc.assert(
    fc.property(fc.dictionary(name, fc.string()), name, (headers, asked) => {
      const inbound = inboundHeaders(headers)
      return (
        inbound[asked.toUpperCase()] === headers[asked] &&
        asked in inbound === asked in headers &&
        JSON.stringify({ ...inbound }) === JSON.stringify(headers)
      )
    }),
  )
  t.end()
})
