/** A new build: from what, with what in it, what it is called, where it goes; the machine that builds it is folded. */
import {
  Alert,
  Button,
  Checkbox,
  Collapse,
  Group,
  SegmentedControl,
  SimpleGrid,
  Stack,
  Text,
  TextInput,
  Title,
  type TextInputProps,
} from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { NOT_PROVEN } from '../../preload/contract/image-build.ts';
import type { BuildRun, ImageDeskState } from '../../preload/contract/image-desk.ts';
import { LAYERS } from '../../preload/contract/standing.ts';
import { call } from '../api.ts';
import { ErrorView } from '../components/ErrorView.tsx';
import { FileField } from '../components/FileField.tsx';
import { FolderField } from '../components/FolderField.tsx';
import { Passphrase } from '../components/KeyFile.tsx';
import { ProfileField } from '../components/ProfileField.tsx';
import { useAction } from '../components/useAction.ts';
import { changeImages } from '../stores/images.ts';
import { useOrder } from './useOrder.ts';

const ROOT: Record<NonNullable<ImageDeskState['root']>, string | null> = {
  plain: null,
  pkexec: 'An image is built as root: this machine asks for a password in a window of its own.',
  sudo: 'An image is built as root: the password for sudo on this machine is asked for next.',
};

interface Props {
  images: ImageDeskState;
  /** The build whose order it begins with. */
  like: BuildRun | null;
  /** Told once main has the order. */
  onBegun: () => void;
}

type Form = ReturnType<typeof useOrder>;

type TextName = 'sha256' | 'name' | 'version' | 'memory' | 'cpus' | 'diskSize';

/** What is typed into the order, with what is wrong with it. */
const Typed = ({
  form,
  name,
  ...input
}: { form: Form; name: TextName } & Omit<TextInputProps, 'form' | 'name'>) => (
  <TextInput
    {...input}
    value={form.draft[name]}
    error={form.faults[name]}
    onChange={(e) => form.set({ [name]: e.currentTarget.value })}
  />
);

function Source({ form }: { form: Form }) {
  const { draft, set } = form;
  const iso = draft.kind === 'iso';
  return (
    <Stack gap="sm" component="section" aria-labelledby="image-source">
      <Title order={3} size="h5" id="image-source">
        Source
      </Title>
      <SegmentedControl
        aria-label="Kind of source"
        data={[
          { value: 'disk', label: 'Disk image' },
          { value: 'iso', label: 'Ubuntu ISO' },
        ]}
        value={draft.kind}
        onChange={(kind) => set({ kind })}
      />
      <FileField
        label={iso ? 'Installer' : 'Disk image'}
        description={
          iso
            ? "Ubuntu Server 24.04's installer. This way was never run yet."
            : 'qcow2 or raw, with cloud-init in it.'
        }
        what={iso ? 'iso' : 'base'}
        value={draft.path}
        onChange={(path) => set({ path })}
      />
      <Typed
        form={form}
        name="sha256"
        label="SHA-256 (optional)"
        description="What the source must hash to."
        classNames={{ input: 'mono' }}
        spellCheck={false}
      />
    </Stack>
  );
}

function Contents({ form: { draft, set, faults } }: { form: Form }) {
  const toggle = (layer: number, on: boolean) =>
    set({ layers: [...draft.layers.filter((one) => one !== layer), ...(on ? [layer] : [])].sort() });
  return (
    <Stack gap="sm" component="section" aria-labelledby="image-contents">
      <Title order={3} size="h5" id="image-contents">
        What is in it
      </Title>
      <ProfileField value={draft.profile} onChange={(profile) => set({ profile })} />
      <fieldset className="plain">
        <Text component="legend" size="sm" fw={600} p={0}>
          Layers
        </Text>
        <div className="image-layers">
          {LAYERS.filter(({ layer }) => layer > 0).map(({ layer, title }) => (
            <Checkbox
              key={layer}
              label={title}
              checked={draft.layers.includes(layer)}
              onChange={(e) => toggle(layer, e.currentTarget.checked)}
            />
          ))}
        </div>
        {faults.layers ? (
          <Text size="xs" c="var(--fail)">
            {faults.layers}
          </Text>
        ) : (
          <Text size="xs" c="var(--muted)" mt={4}>
            The building machine has no GPU: with one of layers 2 to 4 the image is labelled “{NOT_PROVEN}”.
          </Text>
        )}
      </fieldset>
      <FolderField
        label="Site bundle (optional)"
        description="Without one packages come from the sources of the building machine."
        what="bundle"
        value={draft.bundle}
        onChange={(bundle) => set({ bundle })}
      />
    </Stack>
  );
}

function Naming({ form }: { form: Form }) {
  const { draft, set } = form;
  return (
    <Stack gap="sm" component="section" aria-labelledby="image-set">
      <Title order={3} size="h5" id="image-set">
        The set
      </Title>
      <Group gap="sm" align="flex-start" wrap="nowrap">
        <Typed form={form} name="name" flex={1} label="Name" spellCheck={false} />
        <Typed form={form} name="version" w={110} label="Version" spellCheck={false} />
      </Group>
      <FolderField
        label="Folder of the set (optional)"
        description="It must not be there yet. Left empty: its name and version, in the work folder's sets."
        what="imageOut"
        value={draft.out}
        onChange={(out) => set({ out })}
      />
      <Checkbox
        label="Sign the set"
        description="With a secret key of minisign. Without it nobody can tell by whom it is."
        checked={draft.signs}
        onChange={(e) => set({ signs: e.currentTarget.checked })}
      />
      {draft.signs && (
        <>
          <FileField
            label="Signing key"
            what="signingKey"
            value={draft.key}
            onChange={(key) => set({ key })}
          />
          <Passphrase value={draft.passphrase} onChange={(passphrase) => set({ passphrase })} />
        </>
      )}
    </Stack>
  );
}

function Machine({ form, images }: { form: Form; images: ImageDeskState }) {
  const { draft, set } = form;
  const { defaults } = images;
  return (
    <Stack gap="sm">
      <div>
        <Text size="sm" fw={600} id="image-accel">
          Accelerator
        </Text>
        <SegmentedControl
          aria-labelledby="image-accel"
          data={[
            { value: 'auto', label: 'Try KVM' },
            { value: 'kvm', label: 'KVM' },
            { value: 'tcg', label: 'Software' },
          ]}
          value={draft.accel}
          onChange={(accel) => set({ accel })}
        />
      </div>
      <SimpleGrid cols={3} spacing="sm">
        <Typed form={form} name="memory" label="Memory, MiB" inputMode="numeric" />
        <Typed form={form} name="cpus" label="Processors" inputMode="numeric" />
        <Typed form={form} name="diskSize" label="Disk in the image" />
      </SimpleGrid>
      <Checkbox
        label="Run the roles a second time in P4"
        description="Nothing may change then. Without it the image is incomplete."
        checked={draft.secondRun}
        onChange={(e) => set({ secondRun: e.currentTarget.checked })}
      />
      <FolderField
        label="Work folder"
        description="Cache and logs; the same one goes on with what is in it."
        placeholder={defaults.work}
        what="work"
        value={draft.work}
        onChange={(work) => set({ work })}
      />
      <FolderField
        label="Project"
        description="Holds packer/ and ansible/."
        placeholder={defaults.project}
        what="project"
        value={draft.project}
        onChange={(project) => set({ project })}
      />
    </Stack>
  );
}

export function OrderForm({ images, like, onBegun }: Props) {
  const form = useOrder(images, like?.order ?? null);
  const action = useAction();
  const [more, setMore] = useState(false);
  const { order, faults } = form;
  const hidden = Boolean(faults.memory ?? faults.cpus ?? faults.diskSize);
  const { whyNot, running, root } = images;
  const build = (event: FormEvent) => {
    event.preventDefault();
    if (!order || whyNot !== null || running) return;
    void action.run(async () => {
      await changeImages(call('image.build', order));
      onBegun();
    });
  };
  const words = root === null ? null : ROOT[root];
  return (
    <form onSubmit={build} aria-label="New build">
      <Stack gap="md">
        {whyNot !== null && (
          <Alert color="gray" title={`No image can be built here: ${whyNot}`}>
            Build on a Linux machine of the factory, from a checkout of this app. Sets can be verified and
            flashed here all the same.
          </Alert>
        )}
        {action.error && <ErrorView error={action.error} onClose={action.clear} />}
        <SimpleGrid cols={{ base: 1, md: 2 }} spacing="xl">
          <Stack gap="lg">
            <Source form={form} />
            <Contents form={form} />
          </Stack>
          <Stack gap="lg">
            <Naming form={form} />
            <div>
              <Button
                variant="default"
                size="compact-sm"
                aria-expanded={more || hidden}
                aria-controls="image-machine"
                onClick={() => setMore(!more)}
              >
                {more || hidden ? 'Hide' : 'Show'} machine and folders
              </Button>
              <Collapse expanded={more || hidden} id="image-machine" mt="sm">
                <Machine form={form} images={images} />
              </Collapse>
            </div>
          </Stack>
        </SimpleGrid>
        <Group justify="flex-end" gap="sm">
          {running && (
            <Text size="sm" c="var(--muted)">
              {running.image} is being built: one image at a time.
            </Text>
          )}
          {!running && words && <Text size="sm">{words}</Text>}
          <Button
            type="submit"
            loading={action.busy}
            disabled={!order || whyNot !== null || running !== null}
          >
            Build
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
