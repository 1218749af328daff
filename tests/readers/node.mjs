// Readers from npm, as programs in JavaScript use them; README.md tells what is asked and answered.
//
//     node node.mjs DIRECTORY      the directory in which node_modules has what package-lock.json says

import { createRequire, register } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const there = createRequire(join(process.argv[2], 'node_modules', 'here.js'));
const load = async (name) => import(pathToFileURL(there.resolve(name)));

// jsmime is written as modules, but for a bundler: its imports have no extension.
register(`data:text/javascript,${encodeURIComponent(`
  export const resolve = (name, context, next) =>
    context.parentURL?.includes('/jsmimeparser/') && name.startsWith('.') ? next(name.endsWith('.js') ? name : name + '.js', context) : next(name, context);
  export const load = (url, context, next) => next(url, url.includes('/jsmimeparser/') ? { ...context, format: 'module' } : context);
`)}`);

const { headerparser } = await load('@protontech/jsmimeparser/lib/jsmime.js');
const { default: PostalMime, addressParser } = await load('postal-mime');
const { default: PostalMime2, addressParser: addressParser2 } = await load('postal-mime-2.4');
const nodemailer = there('nodemailer/lib/addressparser');
const nodemailer6 = there('nodemailer-6/lib/addressparser');
const { simpleParser } = there('mailparser');
const { simpleParser: simpleParser37 } = there('mailparser-3.7');
const addressparser = there('addressparser');
const { default: emailjs } = there('emailjs-addressparser');
const mimelib = there('mimelib');
const emailAddresses = there('email-addresses');
const haraka = there('address-rfc2822');
const libmime = there('libmime');

const flat = (entries) => (entries ?? []).flat().flatMap((entry) => entry.group ?? entry.addresses ?? entry);

// Of a field as text, unfolded.
const texts = (octets) => {
  let text;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(octets);
  } catch {
    text = octets.toString('latin1');
  }
  return text.replace(/\r\n/g, '').trim();
};

// What a list of objects with an address and a name shows, the names decoded as programs do it.
const shown = (entries) => flat(entries).map(({ address, name }) => [address, libmime.decodeWords(name ?? '')]);
const decodedFirst = (parse) => ({ text }) => shown(parse(libmime.decodeWords(text)));
const whole = (parse) => async ({ message, name }) => {
  const mail = await parse(message);
  const field = mail.headers.get(name.toLowerCase());
  return (field?.value ?? []).flatMap((entry) => entry.group ?? entry).map((entry) => [entry.address, entry.name]);
};
const postal = (parser) => async ({ message, name }) => {
  const mail = await parser.parse(message);
  const field = { from: mail.from, sender: mail.sender, 'reply-to': mail.replyTo }[name.toLowerCase()];
  return flat([field ?? []]).map((entry) => [entry.address, entry.name]);
};

const readers = {
  'mailparser 3.14': whole(simpleParser),
  'mailparser 3.7': whole(simpleParser37),
  'postal-mime 4.0': postal(PostalMime),
  'postal-mime 2.4': postal(PostalMime2),
  'postal-mime 4.0 addressParser': ({ text }) => shown(addressParser(text)),
  'postal-mime 2.4 addressParser': ({ text }) => shown(addressParser2(text)),
  'nodemailer 10 addressparser': ({ text }) => shown(nodemailer(text)),
  'nodemailer 10 addressparser, decoded first': decodedFirst(nodemailer),
  'nodemailer 6 addressparser': ({ text }) => shown(nodemailer6(text)),
  'nodemailer 6 addressparser, decoded first': decodedFirst(nodemailer6),
  addressparser: ({ text }) => shown(addressparser(text)),
  'addressparser, decoded first': decodedFirst(addressparser),
  'emailjs-addressparser': ({ text }) => shown(emailjs(text)),
  'emailjs-addressparser, decoded first': decodedFirst(emailjs),
  mimelib: ({ text }) => shown(mimelib.parseAddresses(text)),
  'email-addresses': ({ text }) => flat(emailAddresses.parseAddressList(text)).map((entry) => [entry.address, entry.name]),
  'email-addresses, loosely': ({ text }) =>
    flat(emailAddresses({ input: text, rfc6532: true })?.addresses).map((entry) => [entry.address, entry.name]),
  'address-rfc2822': ({ text }) => haraka.parse(text).map((entry) => [entry.address, `${entry.phrase} ${entry.comment ?? ''}`]),
  'jsmime parseAddressingHeader': ({ octets }) =>
    flat(headerparser.parseAddressingHeader(unfolded(octets), true)).map(({ email, name }) => [email, name]),
};

// As Thunderbird has it: raw octets read as text first, of UTF-8 or else of the charset of the folder.
const unfolded = (octets) => headerparser.convert8BitHeader(octets.toString('latin1').replace(/\r\n/g, '').trim(), 'ISO-8859-1');

const answer = async (id, reader, question) => {
  try {
    const entries = await readers[reader](question);
    const column = (index) => entries.map((entry) => entry[index]).filter(Boolean).map(String);
    return { id, reader, addresses: column(0), names: column(1) };
  } catch (error) {
    return { id, reader, addresses: [], names: [], error: String(error) };
  }
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, name, field, message } = JSON.parse(line);
  const octets = Buffer.from(field, 'latin1');
  const question = { name, octets, text: texts(octets), message: Buffer.from(message, 'latin1') };
  for (const reader of Object.keys(readers)) {
    process.stdout.write(`${JSON.stringify(await answer(id, reader, question))}\n`);
  }
}
