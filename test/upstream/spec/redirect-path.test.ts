import fc from 'fast-check'
import { test } from 'tap'
import { redirectPath } from '../../../src/upstream/spec/redirect-path.ts'

const origin = 'https://cats.example'
const scope = (prefix = '', credential?: string) => ({ origin, prefix, credential })

test('a location of the same origin is a path below the base path', t => {
  for (const [location, from, prefix, path] of [
    ['/b', '/a', '', '/b'],
    ['b?x=1#end', '/a/c?y=2', '', '/a/b?x=1'],
    ['?x=1', '/a?y=2', '', '/a?x=1'],
    ['', '/a?y=2', '', '/a?y=2'],
    ['https://cats.example/b', '/a', '', '/b'],
    ['HTTPS://CATS.EXAMPLE:443/b', '/a', '', '/b'],
    ['//cats.example/b', '/a', '', '/b'],
    ['/x/../b', '/a', '', '/b'],
    ['/caf\u00e9 x', '/a', '', '/caf%C3%A9%20x'],
    ['/v1/b', '/a', '/v1', '/b'],
    ['b', '/a', '/v1', '/b'],
    ['/v1', '/a', '/v1', ''],
    ['/v1?x=1', '/a', '/v1', '?x=1'],
    ['/v1/', '/a', '/v1', '/'],
  ] as const)
    t.same(redirectPath(location, from, scope(prefix)), { path }, `${location} from ${from}`)
  t.end()
})

test('a location that leaves the origin or the base path is refused with its reason', t => {
  const encoded = 'its location contains a backslash or a slash that is encoded'
  const dots = "its location contains a '.' or '..' segment"
  for (const [location, prefix, fault] of [
    ['https://other.example/b', '', 'its redirect leaves the origin'],
    ['http://cats.example/b', '', 'its redirect leaves the origin'],
    ['https://cats.example:444/b', '', 'its redirect leaves the origin'],
    ['https://cats.example.other.example/b', '', 'its redirect leaves the origin'],
    ['//other.example/b', '', 'its redirect leaves the origin'],
    ['\\\\other.example/b', '', 'its redirect leaves the origin'],
    ['/\t/other.example/b', '', 'its redirect leaves the origin'],
    ['https://cats.example@other.example/b', '', 'its redirect leaves the origin'],
    ['javascript:alert(1)', '', 'its redirect leaves the origin'],
    ['file:///etc/passwd', '', 'its redirect leaves the origin'],
    ['data:application/json,{}', '', 'its redirect leaves the origin'],
    ['blob:https://cats.example/b', '', 'its redirect leaves the origin'],
    ['https://user@cats.example/b', '', 'its location contains credentials'],
    ['https://:pass@cats.example/b', '', 'its location contains credentials'],
    ['https://[', '', 'its location is not a URL'],
    ['https://cats.example:x/b', '', 'its location is not a URL'],
    [['/a', '/b'], '', 'it has several locations'],
    ['/b', '/v1', 'its redirect leaves the base path'],
    ['/v10/b', '/v1', 'its redirect leaves the base path'],
    ['/v1/../b', '/v1', 'its redirect leaves the base path'],
    ['/v1/%2e%2E/b', '/v1', 'its redirect leaves the base path'],
    ['/v1\\..\\b', '/v1', 'its redirect leaves the base path'],
    ['/v1/x%2f..%2f..%2fb', '/v1', dots],
    ['/v1/..%2fb', '/v1', dots],
    ['/v1/%252e%252e/b', '/v1', dots],
    ['/v1/..;x/b', '/v1', dots],
    ['/v1/a%2fb', '/v1', encoded],
    ['/v1/a%5cb', '/v1', encoded],
    ['/v1/a%00b', '/v1', 'its location contains a NUL character'],
  ] as const)
    t.same(redirectPath(location, '/a', scope(prefix)), { fault }, String(location))
  t.end()
})

test('a location keeps its query without the field of the credential', t => {
  for (const [query = '', expected] of [
    ['?key=secret', ''],
    ['?a=1&key=secret&b=%20', '?a=1&b=%20'],
    ['?a=1&k%65y=secret', '?a=1'],
    ['?a=1&keys=2', '?a=1&keys=2'],
    ['?a=1&b', '?a=1&b'],
    ['', ''],
  ])
    t.same(redirectPath(`/b${query}`, '/a', scope('', 'key')), { path: `/b${expected}` }, query)
  t.end()
})

const piece = fc.constantFrom(
  '/',
  '//',
  '\\',
  '.',
  '..',
  '%2e',
  '%2f',
  '%5c',
  '%252e',
  ';',
  '?',
  '#',
  '@',
  ':',
  'v1',
  'a',
  'é',
  ' ',
  '\t',
  'https:',
  'http:',
  'cats.example',
  'other.example',
  '%00',
  '%',
)

test('whatever a location is, the request stays within the origin and the base path for every server', async t => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 9 }), fc.constantFrom('', '/v1'), (pieces, prefix) => {
      const found = redirectPath(pieces.join(''), '/a/b', scope(prefix))
      if ('fault' in found) return
      const { path } = found
      t.match(path, /^(?:$|[/?])/, 'it follows the base path')
      t.match(prefix + path, /^\/[\x21-\x7e]*$/, 'it can be sent')
      const sent = new URL(origin + prefix + path)
      t.equal(sent.origin, origin)
      t.equal(sent.pathname + sent.search, prefix + path, 'it is read as it is sent')
      const decoded = sent.pathname.replaceAll(/%([0-9a-f]{2})/gi, (_, code: string) =>
        String.fromCharCode(parseInt(code, 16)),
      )
      t.notMatch(decoded, /(?:^|[/\\])\.{1,2}(?:$|[/\\;])/, 'it has no dot segments')
    }),
    { numRuns: 2000 },
  )
})
