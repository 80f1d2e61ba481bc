// What a person does with the page, once: registers a passkey by an invite, opens the link to a request, and approves it.
//   tap.mjs BASE INVITE REQUEST [PICTURE]

import { launch, Person } from './person.mjs';

const [base, invite, request, picture] = process.argv.slice(2);
const browser = await launch();
try {
  const person = await Person.open(browser, { base });
  await person.register(invite, 'passkey of the demo');
  await person.visit(`#request=${encodeURIComponent(request)}`);
  const approve = person.card(request).getByRole('button', { name: 'Approve' });
  await approve.waitFor();
  if (picture) await person.page.screenshot({ path: picture });
  await approve.click();
  await person.page.getByText(/Approved by/).waitFor();
  if (person.faults.length > 0) throw new Error(person.faults.join('\n'));
  console.log(`approved ${request} with a passkey`);
} finally {
  await browser.close();
}
