import { legal, refused, type Line } from '../helpers/line.ts'

/** Values with a `.` or `..` in them, also for whoever decodes again. */
const climbing = ['.', '..', '%2e', '%2E', '%2e%2e', '.%2e', '%2E.', '..%2f', '%2e%2e%2fadmin', '..%2fadmin', '.%2fadmin', '..%5c', '..%5cadmin', '..\\admin', '%2e%2e%5cadmin', 'a%2f..%2fb', 'a%2f.%2fb', 'a%5c..%5cb', 'a%2f..',
  '%2f..', '%5c..', 'siamese%2f..%2f..%2fadmin', '..%2f..%2f..%2fetc%2fpasswd', '%252e', '%252e%252e', '%252e%252e%252fadmin', '..%252fadmin', '..%255cadmin', 'a%252f..%252fb', '%252E%252E%255Cadmin',
  '%25252e%25252e', '..%25252fadmin', '%2525252e%2525252e%2525252fadmin', '..;', '..%3b', '..;a=b', '%252e%252e%253b', '..%00', '%2e%2e%00', '..%20', '..%09', '..%23', '..%3f', '%25c0%25ae', '%25u002e%25u002e',
  '%ef%bc%8e%ef%bc%8e', '%e2%80%a4.', '..%ef%bc%8fadmin', '.%e2%80%8b.']

/** Values with a backslash, a NUL, or a slash for servers that decode again. */
const hidden = ['%5c%5cevil.example', 'a%5cb', '%252f', 'a%25252fb', '%255c', 'a%ef%bc%8fb', 'a%25u002fb', 'a%25c0%25afb', 'a%00', 'a%2500b']

/** Values that go nowhere: a name like any other. */
const staying = ['...', '....', '%2f', '%2f%2fevil.example', 'a%2fb', 'http:%2f%2fevil.example%2f', 'file:%2f%2f%2fetc%2fpasswd',
  '~', '~root', '@evil.example', 'a%40evil.example:80', ';', ';a=b', 'siamese;x', ':breed', '{breed}', '*', '%25', '%2525', '%25zz', 'a..b', 'v1.2', '.well-known']

/** Values with a slash of the path in them, so the path is another one. */
const elsewhere = ['../admin', '../../admin', 'a/../b', './siamese', '/siamese', 'siamese/', 'siamese//', 'siamese/..', 'siamese/.', '..;/admin', '..//..//admin', '%2e%2e/%2e%2e/admin', '..%2f/admin', 'a/b/c', '\\../admin']

const values: readonly Line[] = [
  ...[...climbing, ...hidden].flatMap(text => [
    refused(`a breed that climbs: ${text}`, { target: `/v1/breeds/${text}` }, '404 REFUSED'),
    refused(`a title that climbs: ${text}`, { target: `/v1/articles/${text}` }, '400 CALL_INPUT_INVALID'),
  ]),
  ...staying.flatMap(text => [
    refused(`an odd breed: ${text}`, { target: `/v1/breeds/${text}` }, '404 REFUSED'),
    refused(`an odd title: ${text}`, { target: `/v1/articles/${text}` }, '404 REFUSED'),
  ]),
  ...elsewhere.flatMap(text => [
    refused(`a breed and more path: ${text}`, { target: `/v1/breeds/${text}` }, '404 NOT_FOUND'),
    refused(`a title and more path: ${text}`, { target: `/v1/articles/${text}` }, '404 NOT_FOUND'),
  ]),
]

const nowhere = ['//evil.example/v1/cat-facts', '//127.0.0.1/v1/cat-facts', '///v1/cat-facts', '/v1//cat-facts', '//v1/cat-facts', '/v1/cat-facts/', '/V1/CAT-FACTS', '/v1/./cat-facts', '/v1/../v1/cat-facts', '/./v1/cat-facts', '/../../etc/passwd',
  '/v1/cat-facts/..', '/v1/cat-facts/.', '/v1/%2e%2e/health/live', '/v1%2fcat-facts', '/v1%2fbreeds%2fsiamese', '/v1/cat-facts;x=1', '/v1/cat-facts%3fcount=1', '/v1/cat-facts%00', '/v1/cat-facts%20', '/v1/cat-facts%0d%0a', '/v1\\cat-facts', '/v1/breeds',
  '/v1/:breed', '/v1/{breed}', '/health/..', '/health/live/..%2fready', '/docs/..%2f..%2fpackage.json', '/docs/%2e%2e/%2e%2e/package.json', '/docs/../package.json', '/docs/.env', '/.git/config', '/package.json', '/%2e%2e/%2e%2e/etc/passwd',
  '*', 'http://evil.example', 'http://evil.example/', 'http://evil.example/admin', 'https://evil.example/../admin', 'ftp://evil.example/v1/cat-facts', 'gopher://evil.example/', 'http://evil.example//v1/cat-facts']

const noTargets = ['v1/cat-facts', '', '\\v1\\cat-facts', '.', '..', '?count=1', '#', 'evil.example:80', ':', '@evil.example', 'http:/v1/cat-facts', 'http:v1/cat-facts', 'javascript:alert(1)', '%2fv1%2fcat-facts', '-', '[::1]', 'http://evil.example\\v1/cat-facts']

const targets: readonly Line[] = [
  ...nowhere.map(target => refused(`a target at which nothing is: ${target}`, { target }, '404 NOT_FOUND')),
  ...noTargets.map(target => refused(`no target of a request: '${target}'`, { target }, '400 BAD_REQUEST')),
  refused('no breed but a query', { target: '/v1/breeds/?breed=siamese' }, '400 INPUT_INVALID'),
  refused('no breed but a fragment', { target: '/v1/breeds/#siamese' }, '400 INPUT_INVALID', '400 BAD_REQUEST'),
  refused('an absolute target with a bad query', { target: 'http://evil.example/v1/cat-facts?count=0' }, '400 INPUT_INVALID'),
  refused('an absolute target with broken percent-encoding', { target: 'http://evil.example/v1/breeds/%zz' }, '400 BAD_REQUEST'),
  legal('an absolute target of another host', 'a server takes the absolute form (RFC 9112, section 3.2.2), and no upstream hears of its host', { target: 'http://evil.example/v1/cat-facts' }),
  legal('a path with letters encoded', 'it is the same path (RFC 3986, section 6.2.2.2)', { target: '/%76%31/cat-fact%73' }),
  legal('a fragment', 'Node lets it pass and the router drops it', { target: '/v1/cat-facts#/../admin' }, '200', '400 BAD_REQUEST'),
]

/** Ways out of a path. */
export const traversals: readonly Line[] = [...values, ...targets]
