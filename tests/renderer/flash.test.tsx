/** The step Flash before anything is written: image, disks, what will be lost, and the end of the serial. */
import { act, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { Flash } from '../../renderer/steps/flash/Flash.tsx';
import type { FakeMain } from './main.ts';
import {
  CHOSEN,
  disk,
  flashBox,
  flashMain,
  IMAGE,
  look,
  NAME,
  refused,
  SERIAL,
  systemDisk,
  writing,
} from './flashing.ts';
import './matchers.ts';
import { session } from './recordings.ts';
import { show } from './show.tsx';

const SESSION = session().id;
const button = (name: string | RegExp) => screen.getByRole('button', { name });
const open = async (main: FakeMain) => {
  const page = await show(Flash, main);
  await screen.findByText(/can be flashed|is seen|that was chosen/);
  return page;
};

describe('choosing', () => {
  it('says what is lacking, takes an image from the picker and tells what it is', async () => {
    const main = flashMain([]).answer('pick.file', () => IMAGE);
    const { user } = await open(main);
    expect(button('What will be lost…')).toBeDisabledWith('Choose an image.');
    await user.click(button('Browse…'));
    expect(main.of('pick.file')).toEqual([{ what: 'image' }]);
    await screen.findByText('vault-cube-demo-box 1.0');
    screen.getByText('GPU layers installed, not proven');
    screen.getByText('qcow2, 6.2 GB');
    screen.getByText('53.7 GB');
    screen.getByText(/compared before the disk can start/);
    expect(button('What will be lost…')).toBeDisabledWith('Choose a disk.');
  });

  it.each([
    [
      'checksum',
      { manifest: null, proof: 'checksum', proofFrom: '/home/kim/images/box.sha256' },
      /compared before the first byte/,
    ],
    [
      'nothing beside it',
      { manifest: null, proof: null, proofFrom: null },
      /nothing shows that the image is whole/,
    ],
    ['a stream', { kind: 'raw.zst', virtualSize: null }, 'how large, tells only the end of the file'],
  ] as const)('an image with %s', async (_, more, says) => {
    await open(flashMain([], { chosen: CHOSEN, image: look(more) }));
    await screen.findByText(says);
  });

  it('an image that cannot be used says why; the disks are listed for none', async () => {
    const main = flashMain([]).refuse('flash.image', 'image_truncated', {
      path: IMAGE,
      detail: 'it ends early',
    });
    const { user } = await open(main);
    await user.type(screen.getByLabelText('Image'), IMAGE);
    await screen.findByText(/is not whole: it ends early/);
    expect(screen.getByRole('alert').textContent).toContain('Copy it again from its source');
    expect(button('What will be lost…')).toBeDisabledWith('Choose an image.');
    expect(main.of('flash.disks')).toContainEqual({ session: SESSION, image: null });
    expect(main.of('flash.choose')).toEqual([]);
  });

  it('lists what can be flashed, and the rest with what is in the way and what to do', async () => {
    const stick = refused(
      [
        { why: 'mounted', mountpoints: ['/media/kim/USB'] },
        { why: 'smaller', size: 1, needed: 2 },
      ],
      { path: '/dev/sdb', model: 'Stick', vendor: null, serial: null },
    );
    await open(flashMain([], { disks: [disk(), systemDisk(), stick] }));
    screen.getByText('1 disk can be flashed.');
    const radio = screen.getByRole('radio');
    expect(radio.textContent).toContain('2 TB · USB · S6Z1NF0W7F3A · now at /dev/sda');
    expect(radio.textContent).toContain('On it: 1 vfat "EFI", 2 ext4 "customer data"');
    const not = screen.getByRole('region', { name: 'Not offered (2)' });
    expect(not.textContent).toContain("is the disk of this laptop's running system (/, /boot/efi)");
    expect(not.textContent).toContain('It is mounted at /media/kim/USB. Eject or unmount it');
    expect(not.textContent).toContain('It has 1 bytes, and the image needs 2. Use a larger disk');
    expect(not.textContent).toContain('no serial');
  });

  it.each([
    [[], 'No disk is seen. Attach the one that is to be flashed: it appears by itself.'],
    [[systemDisk()], 'None can be flashed as it is now. Attach another one, or do what is said below.'],
  ])('with %j offers nothing, and says what to do', async (disks, says) => {
    await open(flashMain([], { disks, chosen: CHOSEN }));
    screen.getByText(says);
    expect(screen.queryByRole('radio')).toBeNull();
    await waitFor(() => expect(button('What will be lost…')).toBeDisabledWith('Choose a disk.'));
  });

  it('disks that cannot be listed are an error with its next action', async () => {
    const facts = { detail: 'there is no lsblk', action: 'Install the package util-linux.' };
    await show(Flash, flashMain([]).refuse('flash.disks', 'disks_unreadable', facts));
    const alert = await screen.findByRole('alert');
    expect(alert.textContent).toContain('there is no lsblk');
    expect(alert.textContent).toContain('Install the package util-linux.');
  });

  it('a laptop that cannot become root writes no disk, and says so before anything is confirmed', async () => {
    await open(flashMain([], { root: null, chosen: CHOSEN }));
    expect(button('What will be lost…')).toBeDisabledWith('Nothing on this laptop can write to a disk.');
    expect(screen.getByRole('alert').textContent).toContain('neither pkexec nor sudo');
  });

  it('looks again on demand, and by itself when main says that the disks changed', async () => {
    const main = flashMain([], { disks: [] });
    const { user } = await open(main);
    main.answer('flash.disks', () => ({ disks: [disk()], root: 'pkexec' }));
    const before = main.of('flash.disks').length;
    act(() => main.tell('disks', {}));
    await screen.findByText('1 disk can be flashed.');
    main.answer('flash.disks', () => ({ disks: [], root: 'pkexec' }));
    await user.click(button('Look again'));
    await screen.findByText(/^No disk is seen/);
    expect(main.of('flash.disks')).toHaveLength(before + 2);
  });

  it('an older answer does not overtake a newer one', async () => {
    const main = flashMain([], { disks: [] });
    const { user } = await open(main);
    let late: (list: { disks: ReturnType<typeof disk>[]; root: 'plain' }) => void = () => undefined;
    main.answer('flash.disks', () => new Promise((resolve) => (late = resolve)));
    await user.click(button('Look again'));
    main.answer('flash.disks', () => ({ disks: [systemDisk()], root: 'plain' }));
    act(() => main.tell('disks', {}));
    await screen.findByText(/^None can be flashed/);
    await act(async () => late({ disks: [disk()], root: 'plain' }));
    screen.getByText(/^None can be flashed/);
  });

  it('names that are long are shown whole', async () => {
    const model = 'X'.repeat(160);
    const serial = 'S'.repeat(120);
    await open(flashMain([], { disks: [disk({ vendor: null, model, serial })] }));
    const radio = screen.getByRole('radio');
    expect(radio.textContent).toContain(model);
    expect(radio.textContent).toContain(serial);
  });

  it('main keeps what was chosen, and a window that comes back has it', async () => {
    const main = flashMain([], { chosen: { image: IMAGE, serial: null } });
    const { user } = await open(main);
    await user.click(screen.getByRole('radio'));
    await waitFor(() => expect(main.of('flash.choose')).toEqual([{ session: SESSION, choice: CHOSEN }]));
    expect(button('What will be lost…')).toHaveProperty('disabled', false);
  });
});

describe('what will be lost', () => {
  const confirm = async (main: FakeMain) => {
    const page = await open(main);
    await screen.findByText('vault-cube-demo-box 1.0');
    await waitFor(() => expect(button('What will be lost…')).toHaveProperty('disabled', false));
    await page.user.click(button('What will be lost…'));
    return page;
  };
  const erase = () => button(`Erase and write ${NAME} …7F3A`);
  const field = () => screen.getByLabelText('The last four characters of the serial');

  it('names disk, serial and every partition, and begins only after the end of the serial was typed', async () => {
    const main = flashMain([], { chosen: CHOSEN }).answer('flash.start', () =>
      flashBox([writing()], { flash: CHOSEN }),
    );
    main.serve(flashBox([], { flash: CHOSEN }), [writing()]);
    const { user } = await confirm(main);
    screen.getByText(SERIAL);
    const lost = screen.getByRole('region', { name: 'What will be lost' });
    expect(
      within(lost)
        .getAllByRole('listitem')
        .map((li) => li.textContent),
    ).toEqual(['1 vfat "EFI"537 MB', '2 ext4 "customer data"2 TB']);
    screen.getByText(/this laptop asks for a password in a window of its own/);
    expect(document.activeElement).toBe(field());
    expect(erase()).toHaveProperty('disabled', true);
    await user.type(field(), '7f3');
    expect(erase()).toHaveProperty('disabled', true);
    await user.type(field(), 'a');
    await user.click(erase());
    expect(main.of('flash.start')).toEqual([
      { session: SESSION, image: IMAGE, serial: SERIAL, typed: '7f3a', firstBoot: null },
    ]);
    await screen.findByRole('region', { name: `Flash ${NAME} (${SERIAL})` });
  });

  it('says how far the image was looked at again, as long as there is no job that could', async () => {
    let begin: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const main = flashMain([], { chosen: CHOSEN }).answer('flash.start', async () => {
      await begun;
      return flashBox([writing()], { flash: CHOSEN });
    });
    main.serve(flashBox([], { flash: CHOSEN }), [writing()]);
    const { user } = await confirm(main);
    act(() => main.tell('note', { session: SESSION, text: 'something of before' }));
    await user.type(field(), '7F3A{Enter}');
    expect(screen.queryByText('something of before')).toBeNull();
    act(() => main.tell('note', { session: SESSION, text: 'Compare the image with its checksum: 40 %' }));
    screen.getByText('Compare the image with its checksum: 40 %');
    begin();
    await screen.findByRole('region', { name: `Flash ${NAME} (${SERIAL})` });
    expect(screen.queryByText(/^Compare the image/)).toBeNull();
  });

  it('something else than the end of the serial is told of, and Enter does nothing then', async () => {
    const main = flashMain([], { chosen: CHOSEN });
    const { user } = await confirm(main);
    await user.type(field(), 'ABCD{Enter}');
    screen.getByText('That is not the end of this serial. Look at the label again.');
    expect(main.of('flash.start')).toEqual([]);
    await user.clear(field());
    await user.type(field(), SERIAL);
    expect(erase()).toHaveProperty('disabled', true);
  });

  it('what main refuses is said there, and what was typed stays', async () => {
    const facts = { disk: NAME, reason: 'is mounted at /media/kim', action: 'Eject it.' };
    const main = flashMain([], { chosen: CHOSEN }).refuse('flash.start', 'disk_not_offered', facts);
    const { user } = await confirm(main);
    await user.type(field(), '7F3A{Enter}');
    expect((await screen.findByRole('alert')).textContent).toContain('is mounted at /media/kim');
    expect(field()).toHaveProperty('value', '7F3A');
  });

  it('a disk that is unplugged meanwhile cannot be erased', async () => {
    const main = flashMain([], { chosen: CHOSEN });
    const { user } = await confirm(main);
    await user.type(field(), '7F3A');
    main.answer('flash.disks', () => ({ disks: [systemDisk()], root: 'sudo' }));
    act(() => main.tell('disks', {}));
    await screen.findByText('The disk that was chosen is not offered any more.');
    expect(button('Erase and write')).toHaveProperty('disabled', true);
    await user.click(button('Choose again'));
    screen.getByText(/^None can be flashed/);
  });

  it('a long name is cut on the button alone, the end of the serial never', async () => {
    const model = 'A Very Long Name Of A Disk In An Enclosure With Words';
    await confirm(flashMain([], { chosen: CHOSEN, disks: [disk({ vendor: null, model })] }));
    button('Erase and write A Very Long Name Of A Disk In An… …7F3A');
    screen.getByText(model);
  });

  it('a disk without partitions, a short serial, sudo', async () => {
    const short = disk({ serial: '7F', contents: [], table: null });
    const chosen = { image: IMAGE, serial: '7F' };
    await confirm(flashMain([], { chosen, disks: [short], root: 'sudo' }));
    screen.getByText(/^No file system and no partition table is seen on it/);
    screen.getByLabelText('The whole serial');
    screen.getByText(/the password for sudo on this laptop is asked for next/);
  });
});
