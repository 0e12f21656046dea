import { test } from 'tap'
import { CallerCredentials } from '../../../src/http/log/caller-credentials.ts'
import { logDroppedSnapshot } from '../../../src/http/stream/dropped-snapshots.ts'

test('the first dropped snapshot of an aggregate is a warning, and the others are for debugging', async t => {
  const lines: unknown[] = []
  const log = {
    warn: (...line: unknown[]) => void lines.push(['warn', ...line]),
    debug: (...line: unknown[]) => void lines.push(['debug', ...line]),
  }
  const logged = new Set<string>()
  const error = new Error('no rating for Bearer abcdefgh')
  const credentials = new CallerCredentials({ authorization: 'Bearer abcdefgh' })
  for (const name of ['orders', 'orders', 'other'])
    logDroppedSnapshot({ name }, error, ['rating', 'stock'], logged, credentials, log)
  const fields = (aggregate: string) => ({
    aggregate,
    pending: ['rating', 'stock'],
    err: { message: /^no rating for / },
  })
  const text = (aggregate: string) =>
    `aggregate '${aggregate}': a snapshot could not be made before the end of 'rating', 'stock': ` +
    'write a merge that accepts their fallbacks and does not change its arguments, or give reply() the option snapshot'
  t.match(lines, [
    ['warn', fields('orders'), text('orders')],
    ['debug', fields('orders'), text('orders')],
    ['warn', fields('other'), text('other')],
  ])
  t.notMatch((lines as { readonly err: Error }[][])[0]?.[1]?.err.message, /abcdefgh/)
})
