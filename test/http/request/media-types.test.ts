import { test } from 'tap'
import { chooseType, jsonOnly, withStreams, type ReplyType } from '../../../src/http/request/media-types.ts'

test('a caller accepts JSON by its name, by a wildcard, and without a header', async t => {
  const yes = [
    undefined,
    '',
    '*/*',
    'application/json',
    'Application/JSON',
    'application/*',
    'text/html, */*;q=0.1',
    'application/json; charset=utf-8',
    'application/json;q=0.001',
    'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    '*/*;q=0, application/json',
    ' application/json , text/html',
    'application/json;q=1.000',
  ]
  const no = [
    'text/html',
    'image/*',
    'application/json;q=0',
    '*/*;q=0',
    'application/json;q=0, */*',
    'application/*;q=0.0, */*',
    'application/jsonx',
    'application/json;q=0.',
    'application/json;q=most',
    'application/json;q=1.001',
    'application/json;q=0.1234',
    'application/json;q=05',
    'application/x-ndjson, text/event-stream',
    'text/html;title="a, application/json"',
  ]
  for (const header of yes) t.equal(chooseType(header, jsonOnly), 'json', String(header))
  for (const header of no) t.equal(chooseType(header, jsonOnly), undefined, header)
})

test('the form with the largest weight is chosen', async t => {
  const chosen: readonly (readonly [string | undefined, ReplyType | undefined])[] = [
    [undefined, 'json'],
    ['', 'json'],
    ['application/x-ndjson', 'ndjson'],
    ['application/jsonl', 'jsonl'],
    ['text/event-stream', 'sse'],
    ['text/*', 'sse'],
    ['Text/Event-Stream; charset=utf-8', 'sse'],
    ['application/json;q=0.5, application/x-ndjson', 'ndjson'],
    ['application/x-ndjson;q=0.5, application/json', 'json'],
    ['application/x-ndjson;q=0.8, text/event-stream;q=0.9', 'sse'],
    ['application/json;q=0, */*', 'ndjson'],
    ['application/*;q=0.1, text/event-stream;q=0.2', 'sse'],
    ['text/html', undefined],
    ['text/event-stream;q=0', undefined],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'json'],
  ]
  for (const [accept, type] of chosen) t.equal(chooseType(accept, withStreams), type, String(accept))
})

test('the named type wins over a wildcard of the same quality', async t => {
  t.equal(chooseType('application/x-ndjson, */*', withStreams), 'ndjson')
  t.equal(chooseType('*/*, text/event-stream', withStreams), 'sse')
  t.equal(chooseType('text/event-stream;q=0.5, */*;q=0.5', withStreams), 'sse')
  t.equal(chooseType('application/*, application/jsonl', withStreams), 'jsonl')
  t.equal(chooseType('*/*, application/json', withStreams), 'json')
})

test('of named types with the same quality JSON comes first, then lines, then server-sent events', async t => {
  t.equal(chooseType('text/event-stream, application/x-ndjson, application/json', withStreams), 'json')
  t.equal(chooseType('text/event-stream, application/jsonl, application/x-ndjson', withStreams), 'ndjson')
  t.equal(chooseType('text/event-stream, application/jsonl', withStreams), 'jsonl')
})

test('q=0 excludes a type', async t => {
  t.equal(chooseType('application/x-ndjson;q=0, application/*;q=0.5, application/json;q=0', withStreams), 'jsonl')
  t.equal(chooseType('*/*, application/*;q=0', withStreams), 'sse')
  t.equal(chooseType('*/*;q=0', withStreams), undefined)
})

test('a caller that asks for a stream of an aggregate without streams gets JSON, if it accepts that', async t => {
  t.equal(chooseType('application/x-ndjson, application/json;q=0.5', jsonOnly), 'json')
  t.equal(chooseType('application/x-ndjson', jsonOnly), undefined)
})
