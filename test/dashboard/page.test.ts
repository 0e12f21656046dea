import { test } from 'tap'
import { page } from '../../src/dashboard/page.ts'

test('the page has only relative addresses, so that a proxy can serve it below a prefix', async t => {
  const addresses = Array.from(page('js').matchAll(/(?:href|src)="([^"]*)"/g), ([, address = '']) => address)
  t.ok(addresses.includes('metrics'))
  for (const address of addresses) t.notMatch(address, /^\/|^\w+:/, address)
})
