import { test } from 'tap'
import { redactedPath } from '../../src/core/redacted-path.ts'
import { namesCredential } from '../../src/core/redacted-query.ts'

test('secrets in the query are replaced, in any spelling of their names', t => {
  t.equal(redactedPath('/a?count=3&token=abc', '/a'), '/a?count=3&token=REDACTED')
  for (const name of ['api_key', 'apiKey', 'API-KEY', 'access_token', 'filter[password]', 'client%5Fsecret', 'X-Sig'])
    t.notMatch(redactedPath(`/a?x=1&${name}=abc123&y=2`, '/a'), 'abc123', name)
  t.end()
})

test('the value of a path parameter that is named as a secret is the name of the parameter', t => {
  t.equal(redactedPath('/v1/abc/orders/7?x=1', '/v1/{token}/orders/{id}'), '/v1/{token}/orders/7?x=1')
  t.equal(redactedPath('/api/v1/abc', '/v1/{apiKey}'), '/api/v1/{apiKey}', 'below the prefix of an app')
  t.equal(redactedPath('/v1/a,b', '/v1/{lat},{secret}'), '/v1/{lat},{secret}')
  t.equal(redactedPath('/v1/orders/7', '/v1/orders/{id}'), '/v1/orders/7')
  t.end()
})

test('a path with several segments in one parameter is hidden from the first secret on', t => {
  t.equal(redactedPath('/files/abc/x/y', '/files/{token}/{path+}'), '/files/REDACTED')
  t.equal(redactedPath('/v1', '/v1/{token}/{id}'), '/v1/REDACTED', 'a path that is not of the template')
  t.end()
})

test('a predicate decides the names that are hidden, in the path and in the query', t => {
  const [path, template] = ['/users/7/keys/abc?org=1&token=abc', '/users/{user}/keys/{key}']
  t.equal(redactedPath(path, template), '/users/{user}/keys/{key}?org=REDACTED&token=REDACTED')
  t.equal(redactedPath(path, template, namesCredential), '/users/7/keys/{key}?org=1&token=REDACTED')
  t.end()
})
