import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { parse } from 'yaml'

const root = join(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const manifest = JSON.parse(read('package.json')) as Readonly<Record<string, unknown>>

interface Field {
  readonly type: string
  readonly id?: string
  readonly attributes: { readonly label?: string; readonly value?: string }
}

test('each issue form has a name, a description and fields with a label and an id of their own', async t => {
  const forms = readdirSync(join(root, '.github/ISSUE_TEMPLATE')).filter(name => name !== 'config.yml')
  t.same(forms.toSorted(), ['bug.yml', 'feature.yml', 'question.yml'])
  for (const name of forms) {
    const form = parse(read(`.github/ISSUE_TEMPLATE/${name}`)) as {
      readonly name: string
      readonly description: string
      readonly labels: readonly string[]
      readonly body: readonly Field[]
    }
    t.match(form, { name: /^\w+$/, description: /\w/, labels: [/\w/] }, name)
    const fields = form.body.filter(({ type }) => type !== 'markdown')
    t.ok(fields.length > 2, name)
    const ids = fields.map(({ id }) => id)
    t.equal(new Set(ids).size, fields.length, name)
    for (const { type, id, attributes } of form.body) {
      t.ok(['markdown', 'input', 'textarea'].includes(type), `${name}: ${type}`)
      if (type === 'markdown') t.type(attributes.value, 'string', name)
      else t.match({ id, label: attributes.label }, { id: /^[a-z]+$/, label: /\w/ }, name)
    }
  }
})

test('issues are written in a form', async t => {
  t.equal((parse(read('.github/ISSUE_TEMPLATE/config.yml')) as Record<string, unknown>)['blank_issues_enabled'], false)
})

test('dependabot covers npm and the actions, and groups what can come together', async t => {
  const { version, updates } = parse(read('.github/dependabot.yml')) as {
    readonly version: number
    readonly updates: readonly Readonly<Record<string, object | string>>[]
  }
  t.equal(version, 2)
  t.match(
    updates.map(update => [update['package-ecosystem'], update['directory'], update['schedule']]),
    [
      ['npm', '/', { interval: 'weekly' }],
      ['github-actions', '/', { interval: 'weekly' }],
    ],
  )
  for (const { groups = {} } of updates) t.ok(Object.keys(groups).length > 0)
})

test('each file that lacks the address of the repository is listed on the releasing page', async t => {
  const [, missing = ''] = read('docs/releasing.md').split('## What needs the address of the repository')
  for (const field of ['repository', 'bugs', 'homepage'])
    t.ok(field in manifest || missing.includes(`\`${field}\``), field)
  for (const [, file = ''] of missing.matchAll(/^\| `([^`]+)` \|/gm)) t.ok(existsSync(join(root, file)), file)
})

test('the security policy and the code of conduct say where a report goes and when it is answered', async t => {
  for (const page of ['SECURITY.md', 'CODE_OF_CONDUCT.md']) {
    t.match(read(page), /^## How to report$/m, page)
    t.match(read(page), /3 working days/, page)
  }
  t.match(read('SECURITY.md'), /docs\/security\.md/)
  t.match(read('CODE_OF_CONDUCT.md'), /Contributor Covenant, version 2\.1/)
})

test('the package has keywords, each once and in lower case', async t => {
  const keywords = manifest['keywords'] as readonly string[]
  t.ok(keywords.length > 8)
  t.equal(new Set(keywords).size, keywords.length)
  t.same(
    keywords.filter(word => !/^[a-z\d]+(?:-[a-z\d]+)*$/.test(word)),
    [],
  )
})
