// The OpenStack resource plugin of Pulumi, where the published binary cannot be had: the Terraform provider behind
// Pulumi's bridge, under the type tokens that the Python SDK on PyPI sends.
//
// `build` writes tokens.txt (the tokens of the installed pulumi_openstack, one a line) and version.txt.
package main

import (
	_ "embed"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	tfshim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/terraform-provider-openstack/terraform-provider-openstack/v3/openstack"
)

var (
	//go:embed tokens.txt
	tokensText string
	//go:embed version.txt
	versionText string

	version    = strings.TrimSpace(versionText)
	apiVersion = regexp.MustCompile(`_?v\d+$`)

	// moduleOf is the SDK's module for a Terraform prefix, where they differ.
	moduleOf = map[string]string{"lb": "loadbalancer", "fw": "firewall"}
)

// fold gives a name of either side one form: lower case, without underscores and API version.
func fold(module, name string) string {
	bare := apiVersion.ReplaceAllString(strings.ToLower(name), "")
	return module + "/" + strings.ReplaceAll(bare, "_", "")
}

// sdkTokens are the SDK's tokens (openstack:compute/flavor:Flavor) by their folded names.
func sdkTokens() map[string]string {
	// The SDK misspells this one, so that no rule gives it.
	byName := map[string]string{"blockstorage/quotaset": "openstack:blockstorage/quoteSetV3:QuoteSetV3"}
	for _, token := range strings.Fields(tokensText) {
		parts := strings.Split(token, ":")
		if module, _, found := strings.Cut(parts[1], "/"); found && module != "index" {
			byName[fold(module, parts[2])] = token
		}
	}
	return byName
}

// terraformName folds openstack_compute_flavor_v2; verb is what the SDK puts before the name of a function.
func terraformName(name, verb string) string {
	module, rest, _ := strings.Cut(strings.TrimPrefix(name, "openstack_"), "_")
	if renamed, found := moduleOf[module]; found {
		module = renamed
	}
	return fold(module, verb+rest)
}

func provider() tfbridge.ProviderInfo {
	byName := sdkTokens()
	info := tfbridge.ProviderInfo{
		P:                       shimv2.NewProvider(openstack.Provider()),
		Name:                    "openstack",
		Version:                 version,
		GitHubOrg:               "terraform-provider-openstack",
		TFProviderModuleVersion: "v3",
		MetadataInfo:            tfbridge.NewProviderMetadata([]byte("{}")),
		Resources:               map[string]*tfbridge.ResourceInfo{},
		DataSources:             map[string]*tfbridge.DataSourceInfo{},
	}
	info.P.ResourcesMap().Range(func(name string, _ tfshim.Resource) bool {
		if token, found := byName[terraformName(name, "")]; found {
			info.Resources[name] = &tfbridge.ResourceInfo{Tok: tokens.Type(token)}
		} else {
			info.IgnoreMappings = append(info.IgnoreMappings, name)
		}
		return true
	})
	info.P.DataSourcesMap().Range(func(name string, _ tfshim.Resource) bool {
		if token, found := byName[terraformName(name, "get")]; found {
			info.DataSources[name] = &tfbridge.DataSourceInfo{Tok: tokens.ModuleMember(token)}
		} else {
			info.IgnoreMappings = append(info.IgnoreMappings, name)
		}
		return true
	})
	info.SetAutonaming(255, "-")
	return info
}

func main() { tfbridge.Main("openstack", version, provider(), []byte("{}")) }
