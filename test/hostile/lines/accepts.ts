import { legal, refused, type Line } from '../helpers/line.ts'

const refusing = [
  'text/html',
  'image/png',
  'application/xml',
  'application/jsonx',
  'application/json5',
  'application/problem+json',
  'application/json;q=0',
  'application/json;q=0.0',
  'application/json;q=0.000',
  'application/json ; q=0',
  '*/*;q=0',
  'application/*;q=0',
  'APPLICATION/JSON;Q=0',
  'application/json;q=most',
  'application/x-ndjson;q=0',
  'text/event-stream;q=0, application/jsonl;q=0.0000',
  'application/ndjson',
  'text/event-streams',
  'application/json;q=-1',
  'application/json;q=2',
  'application/json;q=1.5',
  'application/json;q=0.0001',
  'application/json;q=1e0',
  'application/json;q=NaN',
  'application/json;q=',
  'application/json;q=0x1',
  'application/json;q=٠',
  '*',
  '/',
  ';',
  ';q=1',
  'json',
  '*/json',
  'q=1',
  "''",
  '"application/json"',
  'application',
  'application/',
  '<application/json>',
  'application/json/x',
  'a/b;c="application/json"',
  'text/html, text/plain',
  '__proto__',
  'constructor/*',
  Array.from({ length: 3000 }, () => 'a/b').join(),
  `text/${'x'.repeat(8000)}`,
  `text/html${';a=b'.repeat(2000)}`,
  'text/html,'.repeat(1000),
  ', text/html ,',
  ';,',
]

const taking = [
  '*/*',
  '',
  ' ',
  ',',
  ', ,\t,',
  ', application/json ,',
  'application/*',
  'application/json;charset=latin1',
  'application/json;q=0.001',
  'text/html, */*;q=0.1',
  '*/*;q=0, application/json',
  'application/json;q=1.000',
  `${Array.from({ length: 3000 }, () => 'a/b').join()},*/*`,
]

/** Values that take a stream, and no JSON in one piece. */
const streaming = [
  'text/*',
  'application/json;q=0, */*',
  'application/*;q=0, */*;q=1',
  'application/x-ndjson',
  'APPLICATION/JSONL; q=0.001',
  'text/event-stream;charset=utf-16',
  `${Array.from({ length: 3000 }, () => 'a/b').join()},text/event-stream`,
]

const run = '7e1a3b52-5f0e-4c43-9a53-0d6a4c1b2f10'

/** Values of `Last-Event-ID` that are not the id of an event. */
const foreignIds = [
  '',
  ' ',
  '__proto__',
  `${run}.3.1`,
  `${run}.1.1.1`,
  `${run}.1.-1`,
  '\xff',
  '.'.repeat(8000),
  run.repeat(200),
]

/** `Accept` in all its forms. */
export const accepts: readonly Line[] = [
  ...refusing.map(accept =>
    refused(
      `accept: ${accept.slice(0, 40)}`,
      { headers: [Buffer.from(`accept: ${accept}`).toString('latin1')] },
      '406 NOT_ACCEPTABLE',
    ),
  ),
  ...['text/html', 'application/json;q=0', '*/*;q=0'].map(accept =>
    refused(
      `accept: ${accept} and a bad query`,
      { target: '/v1/cat-facts?count=x', headers: [`accept: ${accept}`] },
      '406 NOT_ACCEPTABLE',
      '400 INPUT_INVALID',
    ),
  ),
  refused(
    'two Accepts that take no JSON',
    { headers: ['accept: text/html', 'accept: image/png'] },
    '406 NOT_ACCEPTABLE',
  ),
  refused('Accept of 17 KB', { headers: [`accept: ${'a/b,'.repeat(4300)}`] }, '431 HEADERS_TOO_LARGE'),
  ...taking.map(accept => legal(`accept: ${accept.slice(0, 40)}`, 'it takes JSON', { headers: [`accept: ${accept}`] })),
  ...streaming.map(accept =>
    legal(`accept: ${accept.slice(0, 40)}`, 'it takes a stream', { headers: [`accept: ${accept}`] }),
  ),
  ...foreignIds.map(id =>
    legal(`last-event-id: ${id.slice(0, 60)}`, 'it is ignored', {
      headers: ['accept: text/event-stream', `last-event-id: ${id}`],
    }),
  ),
  ...[`${run}.1.end`, `${run}.2.7`].map(id =>
    legal(
      `last-event-id: ${id}`,
      'its stream is not repeated',
      { headers: ['accept: text/event-stream', `last-event-id: ${id}`] },
      '204',
    ),
  ),
  legal('two Accepts, one of which takes JSON', 'they are one list', {
    headers: ['accept: text/html', 'accept: application/json'],
  }),
  legal('odd accept-language, accept-encoding and accept-charset', 'they are wishes', {
    headers: ['accept-language: ../../en;q=9', 'accept-encoding: foo;q=x, *;q=0', 'accept-charset: \xff'],
  }),
]
