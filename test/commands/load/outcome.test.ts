import { test } from 'tap'
import { classifyReply } from '../../../src/commands/load/outcome.ts'

const json = { 'content-type': 'application/json; charset=utf-8' }
const envelope = (data: unknown, complete: boolean) =>
  Buffer.from(JSON.stringify({ data, complete, sources: { complete: { state: 'ok', start: 0, ms: 1, attempts: 1 } } }))

test('the envelope tells whole from partial', async t => {
  t.equal(classifyReply(200, json, envelope([1], true)), 'whole')
  t.equal(classifyReply(200, json, envelope([1], false)), 'partial')
})

test('data that looks like an envelope does not decide', async t => {
  const like = { complete: false, sources: {} }
  t.equal(classifyReply(200, json, envelope([like, JSON.stringify(like)], true)), 'whole')
  t.equal(classifyReply(200, json, envelope({ complete: true, sources: {} }, false)), 'partial')
})

test('an envelope without sources tells whole from partial', async t => {
  for (const data of [[1], { complete: false, sources: {} }]) {
    t.equal(classifyReply(200, json, Buffer.from(JSON.stringify({ data, complete: true }))), 'whole')
    t.equal(classifyReply(200, json, Buffer.from(JSON.stringify({ data, complete: false }))), 'partial')
  }
})

test('without an envelope the header tells', async t => {
  t.equal(classifyReply(200, { ...json, 'headwaters-complete': '?1' }, Buffer.from('[]')), 'whole')
  t.equal(classifyReply(200, { ...json, 'headwaters-complete': '?0' }, Buffer.from('[]')), 'partial')
})

test('any other answer that is well is other', async t => {
  t.equal(classifyReply(200, json, Buffer.from('{"complete":true}')), 'other')
  t.equal(classifyReply(200, { 'content-type': 'text/plain' }, envelope([], true)), 'other')
  t.equal(classifyReply(204, {}, undefined), 'other')
  t.equal(classifyReply(304, {}, undefined), 'other')
})

test('refused is 503 with a time to come again; every other 4xx and 5xx has failed', async t => {
  t.equal(classifyReply(503, { 'retry-after': '1' }, undefined), 'refused')
  t.equal(classifyReply(503, {}, undefined), 'failed')
  for (const status of [400, 404, 429, 500, 502, 504])
    t.equal(classifyReply(status, json, envelope([], true)), 'failed', `${status}`)
})
