import { legal, refused, type Line } from '../helpers/line.ts'

const reads = ['/v1/cat-facts', '/v1/breeds/siamese', '/v1/articles/Siamese_cat']
const writes = ['/v1/postcards']
const fixed = ['/health/live', '/health/ready', '/openapi.json', '/openapi.yaml', '/docs']

const methods = [
  'PUT',
  'PATCH',
  'DELETE',
  'TRACE',
  'PROPFIND',
  'PROPPATCH',
  'MKCOL',
  'COPY',
  'MOVE',
  'LOCK',
  'SEARCH',
  'QUERY',
  'PURGE',
  'SUBSCRIBE',
  'M-SEARCH',
  'BIND',
  'LINK',
  'SOURCE',
]

const wrong: readonly Line[] = [
  ...reads.flatMap(target => ['POST', ...methods].map(method => ({ method, target }))),
  ...writes.flatMap(target => ['GET', 'HEAD', ...methods].map(method => ({ method, target }))),
  ...fixed.flatMap(target => ['POST', 'PUT', 'DELETE', 'TRACE', 'PROPFIND'].map(method => ({ method, target }))),
].map(({ method, target }) => refused(`${method} ${target}`, { method, target }, '405 METHOD_NOT_ALLOWED'))

const beside: readonly Line[] = [
  ...['POST', 'PUT', 'TRACE', 'PROPFIND', 'OPTIONS', 'HEAD'].map(method =>
    refused(`${method} where nothing is`, { method, target: '/nowhere' }, '404 NOT_FOUND'),
  ),
  refused(
    'a wrong method with a bad query',
    { method: 'DELETE', target: '/v1/cat-facts?count=x' },
    '405 METHOD_NOT_ALLOWED',
  ),
  refused(
    'a wrong method with a body of a wrong type',
    { method: 'PUT', target: '/v1/postcards', body: '<a/>', headers: ['content-type: text/xml'] },
    '405 METHOD_NOT_ALLOWED',
  ),
  refused(
    'a wrong method with bad JSON',
    { method: 'POST', target: '/v1/cat-facts', body: '{' },
    '405 METHOD_NOT_ALLOWED',
  ),
  refused(
    'a wrong method with a body of 2 MiB',
    { method: 'PUT', target: '/v1/postcards', body: 'x'.repeat(2 * 1024 * 1024) },
    '405 METHOD_NOT_ALLOWED',
  ),
  refused(
    'a wrong method that takes no JSON',
    { method: 'DELETE', headers: ['accept: text/html'] },
    '405 METHOD_NOT_ALLOWED',
  ),
  refused(
    'TRACE with something to echo',
    { method: 'TRACE', headers: ['cookie: secret-9f2d'], hides: 'secret-9f2d' },
    '405 METHOD_NOT_ALLOWED',
  ),
  refused('HEAD with a bad query', { method: 'HEAD', target: '/v1/cat-facts?count=x' }, '400 INPUT_INVALID'),
  refused('HEAD with a breed that is none', { method: 'HEAD', target: '/v1/breeds/nobody' }, '404 REFUSED'),
  refused('HEAD that takes no JSON', { method: 'HEAD', headers: ['accept: text/html'] }, '406 NOT_ACCEPTABLE'),
  ...['evil.example:443', '/v1/cat-facts', '127.0.0.1:80', 'evil.example'].map(target =>
    refused(`CONNECT ${target}`, { method: 'CONNECT', target }, '405 METHOD_NOT_ALLOWED', '400 BAD_REQUEST'),
  ),
]

const noMethods = [
  'FOO',
  'get',
  'Get',
  'GETT',
  'GE',
  'POSTT',
  'post',
  'connect',
  'G\0T',
  '<script>',
  'HTTP/1.1',
  '\xff',
  '"GET"',
  'GET/',
  'A'.repeat(5000),
  '-',
  '123',
  'GET\t',
  'G\rET',
]

const tokens: readonly Line[] = noMethods.map(method =>
  refused(`no method that Node reads: ${JSON.stringify(method.slice(0, 20))}`, { method }, '400 BAD_REQUEST'),
)

const fine: readonly Line[] = [
  ...[...reads, ...writes, ...fixed].map(target =>
    legal(`OPTIONS ${target}`, 'it says what is answered', { method: 'OPTIONS', target }, '204'),
  ),
  legal(
    'OPTIONS *',
    'it asks about the server as a whole, which has nothing to say',
    { method: 'OPTIONS', target: '*' },
    '204',
    '404 NOT_FOUND',
  ),
  legal('GET with x-http-method-override', 'that header is not read', {
    headers: ['x-http-method-override: DELETE', 'x-http-method: DELETE', 'x-method-override: DELETE'],
  }),
]

/** Methods at each URL. */
export const verbs: readonly Line[] = [...wrong, ...beside, ...tokens, ...fine]
