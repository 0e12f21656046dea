import { element } from './dom.ts'
import { place, type Page } from './shell.ts'

/** Shows the explanation of an aggregate in a dialog. The link itself would not send the key of the operator. */
export function startExplanations(page: Page): (aggregate: string) => void {
  const dialog = place('explanation') as HTMLDialogElement
  const title = element('h2', { id: 'explanation-title' })
  const text = element('pre', { class: 'sheet-text', attributes: { tabindex: '0' } })
  const close = element('button', { class: 'tool', text: 'Close', attributes: { type: 'button' } })
  close.addEventListener('click', () => dialog.close())
  // The dialog itself is hit only outside its content.
  dialog.addEventListener('click', ({ target }) => target === dialog && dialog.close())
  dialog.append(element('div', { class: 'sheet-body' }, element('header', { class: 'sheet-head' }, title, close), text))
  return aggregate => {
    title.textContent = `Explanation of ${aggregate}`
    text.textContent = 'Reading…'
    dialog.showModal()
    const show = (words: string) => {
      if (title.textContent === `Explanation of ${aggregate}`) text.textContent = words
    }
    readExplanation(page, aggregate).then(show, () => show('The service does not answer.'))
  }
}

async function readExplanation(page: Page, aggregate: string): Promise<string> {
  const response = await page.read(`/explain/${encodeURIComponent(aggregate)}`, 'text/plain')
  const words = await response.text()
  return response.ok ? words : `The service answered ${response.status}: ${words}`
}
